"""Two phones of one call are killed together, again and again, and started again at any distance from each other: they find
each other each time. Whoever asks first finds nobody, or another who asks (491, RFC 3261 section 14.1), and asks again."""

import os
import random
import time

from lib import story
from lib.waiting import check, until

VARIANTS = ["auto", "by_hand", "kept"]
SLOW = True
ROUNDS = 12
APART_S = 1.5


def run(env):
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--burst", "0", "--"] if env.variant == "kept" else ()
    resume = "ask" if env.variant == "by_hand" else "auto"
    caller = env.phone(name="alice", user="alice", address="127.0.0.3", audio="tone:440", resume=resume, launcher=keeper).start()
    callee = env.phone(name="bob", user="bob", address="127.0.0.4", audio="tone:440", resume=resume, launcher=keeper,
                       rtp_ports=(30000, 39999)).start()
    caller.send(f"call {callee.uri}")
    callee.wait("call.incoming")
    callee.send("answer 1")
    call_id = caller.wait("call.established")["call_id"]
    callee.wait("call.established")
    for phone in (caller, callee):  # else the callee comes back at once, by the ACK that its record waits for
        story.settled(phone, 1)
    dice = random.Random(env.variant)
    for number in range(ROUNDS):
        killed_and_back(env, dice, [caller, callee], f"round {number}")
    caller.send("bye 1")
    caller.wait("call.ended", by="local")
    callee.wait("call.ended", by="remote")
    refused = env.capture.sync().messages(lambda m: m.status == 481)
    check(not refused, f"481: {refused}")
    print(f"{len(env.capture.messages(lambda m: m.status == 491))} times both had asked at once")
    check({m.call_id for m in env.capture.messages()} == {call_id}, "another call")
    caller.quit()
    callee.quit()


def killed_and_back(env, dice, phones, what):
    since = time.time()
    dice.shuffle(phones)
    for phone in phones:
        kill(env, phone)
        if env.variant == "kept":
            apart(dice)
    for phone in phones if env.variant != "kept" else []:
        phone.launch()
        apart(dice)
    if env.variant == "by_hand":
        for phone in phones:
            phone.wait("call.restored", 10)
        ask(dice.sample(phones, 2), dice)
    for phone in phones:
        def verdicts(phone=phone):
            return [e["verdict"] for e in phone.seen("ledger") if e["(seen)"] >= since]
        until(verdicts, 20, f"{what}: {phone.name} to know what has become of its call")
        check(verdicts() == ["survived"], f"{what}: {phone.name} says {phone.seen('ledger')}")
    for phone in phones:
        phone.do("info 1 hello")
    until(lambda: not unacknowledged(env, since), 5, lambda: f"{what}: an ACK for {unacknowledged(env, since)}")


def ask(phones, dice):
    """One after the other, or both at once: what is typed to a phone that is stopped is read when it goes on."""
    at_once = dice.random() < 0.5
    for phone in phones:
        if at_once:
            phone.process.freeze()
        phone.send("reinvite")
        if not at_once:
            apart(dice)
    for phone in phones if at_once else []:
        phone.process.thaw()


def kill(env, phone):
    if env.variant != "kept":
        phone.kill9()
        return
    with open(f"/proc/{phone.process.popen.pid}/task/{phone.process.popen.pid}/children", encoding="ascii") as file:
        os.kill(int(file.read().split()[0]), 9)


def unacknowledged(env, since):
    """The INVITEs that were answered and not acknowledged; those that found nobody are neither."""
    seen = env.capture.messages(since=since)
    answered = {(m.destination[0], m.cseq) for m in seen if m.method == "INVITE" and not m.is_request and m.status >= 200
                and not (m.get("server") or "").startswith("stand-in-")}
    return answered - {(m.source[0], m.cseq) for m in seen if m.method == "ACK"}


def apart(dice):
    """Not a wait for anything: the distance is what is tried."""
    time.sleep(dice.choice([0, dice.random() * 0.05, dice.random()]) * APART_S)
