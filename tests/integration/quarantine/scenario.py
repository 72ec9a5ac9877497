"""A record that kills: the second start in a row that dies on it is the last. The third has all other calls, good for
everything; the bad one's record is put away, and the ledger says where it is and what to do, which works. The script of
such a start ends with 3. A phone that was killed from outside, however often, puts nothing away."""

import json
import os
import signal

from lib import checks, story
from lib.waiting import check, until

# What kills is a step on the way back of call 2 (`--crash-at`, which a debug and an asan build have).
VARIANTS = ["plain", "kept", "reading", "message", "hang_in_reading", "hang_among_hundreds", "killed", "script", "still_bad"]
SLOW = ["hang_in_reading", "hang_among_hundreds"]
BAD, GOOD = 2, (1, 3)
STEP = {"reading": "read:2:fault", "message": "message:2:fault", "hang_in_reading": "read:2:hang",
        "hang_among_hundreds": "read:150:hang", "killed": "after-Arm:2:kill"}
HUNDREDS = 300


def run(env):
    if env.variant == "hang_among_hundreds":
        hang_among_hundreds(env)
        return
    kept = env.variant in ("kept", "hang_in_reading")
    crash = ["--crash-at", STEP.get(env.variant, "after-Arm:2:fault")]
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--"] if kept else ()
    # Only a call of an earlier life kills, so the first life may have the option as well.
    phone = env.phone(audio="tone:440", resume="auto", launcher=keeper, options=crash if kept else ()).start()
    peers, ids = {}, {}
    for n in (1, 2, 3):
        peers[n] = env.sipp("peer_called.xml", name=f"peer{n}", address=f"127.0.0.{10 + n}", rtp_port=16000 + 10 * n)
        phone.send(f"call {peers[n].uri}")
        ids[n] = phone.wait("call.established", 8, call=n)["call_id"]
        story.settled(phone, n)
    if env.variant == "killed":
        killed(env, phone, crash)
    elif env.variant == "script":
        script(env, phone, crash, peers)
        return
    elif kept:
        os.kill(owner(phone), signal.SIGKILL)
        told = put_away(phone, 20)
        how = "revenant hung for 5 s" if "hang" in env.variant else "revenant was killed by SIGSEGV"
        until(lambda: phone.process.log().count(how) == 2, 5, f"two deaths that the keeper calls {how!r}")  # it starts first
    else:
        phone.kill9()
        die_twice(phone, crash)
        phone.launch(crash)
        told = put_away(phone)
    alive = GOOD if env.variant != "killed" else (1, 2, 3)
    good_for_all(env, phone, alive)
    for n in alive:
        hang_up(env, phone, peers, ids, n)
    if env.variant == "killed":
        phone.quit()
        return
    check(phone.seen("ledger.summary")[-1]["lost"] == 1, f"the sum: {phone.seen('ledger.summary')}")
    phone.send("quit")
    check(phone.wait_exit() == 3, "the status of a phone that has lost a call")
    phone.launcher, phone.options = [], []
    tried_again(env, phone, told, crash, peers, ids)


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def records(phone):
    return sorted(n for n in os.listdir(os.path.dirname(phone.record_path())) if ".json" in n)


def die_twice(phone, crash):
    """Two starts die on it, and the first death has put nothing away."""
    for death in (1, 2):
        check(records(phone) == ["1.json", "2.json", "3.json"], f"before death {death}: {records(phone)}")
        phone.launch(crash)
        status = phone.wait_exit()
        check(status == -signal.SIGSEGV, f"start {death} ended with {status}:\n{phone.process.log()[-1500:]}")
    check(records(phone) == ["1.json", "2.json", "3.json"], f"after the second death: {records(phone)}")


def put_away(phone, deadline_s=10):
    """The ledger's word on the bad call; the others are back."""
    told = phone.wait("ledger", deadline_s, call=BAD, verdict="lost")
    # Under a keeper, a life that died may have said so, too.
    until(lambda: {e["call"] for e in phone.seen("ledger", verdict="survived") if e["(seen)"] > told["(seen)"]} == {*GOOD}, 10,
          "the others to be back")
    aside = phone.record_path(BAD) + ".quarantined"
    check(told["quarantined"] == aside and f"its record is now {aside}" in told["text"]
          and "to try it again, end the phone and rename it to 2.json" in told["text"], f"the ledger: {told}")
    check(records(phone) == ["1.json", "2.json.quarantined", "3.json"], f"{records(phone)}")
    with open(aside, encoding="utf-8") as file:
        check(json.load(file)["number"] == BAD, "it is another record")
    return told


def good_for_all(env, phone, alive):
    for n in alive:
        env.capture.wait_rtp(f"to the peer of call {n}", lambda r, n=n: r.destination[0] == f"127.0.0.{10 + n}", 5,
                             since=phone.seen("ready")[-1]["(seen)"])
        phone.do(f"info {n} hello")
        story.hold(env, phone, f"hold {n}")
        story.hold(env, phone, f"unhold {n}", "call.unheld")


def hang_up(env, phone, peers, ids, n):
    phone.send(f"bye {n}")
    phone.wait("call.ended", call=n, by="local")
    peers[n].wait_exit()
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=ids[n])


def tried_again(env, phone, told, crash, peers, ids):
    """As the ledger says: renamed while no phone runs. If it still kills it is put away again, after two deaths again."""
    os.rename(told["quarantined"], phone.record_path(BAD))
    if env.variant == "still_bad":
        for _ in (1, 2):
            phone.launch(crash)
            check(phone.wait_exit() == -signal.SIGSEGV, "it does not kill any more")
            check(records(phone) == ["2.json"], f"{records(phone)}")
        phone.launch(crash)
        again = phone.wait("ledger", 10, call=BAD, verdict="lost")
        check(records(phone) == ["2.json.quarantined"], f"{records(phone)}")
        phone.send("quit")
        check(phone.wait_exit() == 3, "the status of a phone that has lost a call")
        os.rename(again["quarantined"], phone.record_path(BAD))
    phone.start()
    phone.wait("ledger", 10, call=BAD, verdict="survived")
    good_for_all(env, phone, (BAD,))
    hang_up(env, phone, peers, ids, BAD)
    until(lambda: not records(phone), 2, "its record to be removed")
    phone.quit()


def killed(_env, phone, crash):
    """SIGKILL again and again, while call 2 comes back."""
    phone.kill9()
    for death in range(4):
        phone.launch(crash)
        status = phone.wait_exit()
        check(status == -signal.SIGKILL, f"start {death} ended with {status}")
        check(records(phone) == ["1.json", "2.json", "3.json"], f"{records(phone)}")
    phone.start()
    for n in (1, 2, 3):
        phone.wait("ledger", 10, call=n, verdict="survived")


def script(_env, phone, crash, peers):
    """It says BYE to the good calls at its end, and the one after it has nothing to be sorry for."""
    phone.kill9()
    die_twice(phone, crash)
    status, events, log = phone.run(*crash, *[word for n in GOOD for word in ("-c", f"wait resumed {n} 10")])
    check(status == 3, f"the script ended with {status}:\n{log}")
    lost = [e for e in events if e["event"] == "ledger" and e["verdict"] == "lost"]
    check([e["call"] for e in lost] == [BAD], f"the ledger: {lost}")
    for n in GOOD:
        peers[n].wait_exit()
    check(records(phone) == ["2.json.quarantined"], f"{records(phone)}")  # the process has ended
    status, events, log = phone.run("-c", "calls")
    check(status == 0, f"the next script ended with {status}:\n{log}")
    check(not [e for e in events if e["event"] == "ledger"], f"it is told of again: {events}")


def hang_among_hundreds(env):
    """So many records are read by two threads; either of them may come upon the one that it never gets done with."""
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--"]
    phone = env.phone(resume="ask", options=["--crash-at", STEP[env.variant]]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    phone.kill9()
    good = phone.record()
    for n in range(2, HUNDREDS + 1):
        other = {**good, "number": n, "call_id": f"another-{n}", "local_tag": f"tag{n}"}
        other["media"] = {**good["media"], "local": {"address": "", "port": 0}}
        with open(phone.record_path(n), "w", encoding="utf-8") as file:
            json.dump(other, file)
    phone.launcher = keeper
    phone.launch()
    told = phone.wait("ledger", 25, call=150, verdict="lost")
    check("died reading it (it hung)" in told["text"], f"{told}")
    until(lambda: phone.process.log().count("revenant hung for 5 s") == 2, 5, "two deaths that the keeper calls a hang")
    until(lambda: len(phone.seen("call.restored")) == HUNDREDS - 1, 30, "all others to be back")
    story.reinvite(phone, "1")
    phone.do("info 1 hello")
    story.hang_up(env, phone, peer, "phone", call_id)
    phone.process.kill9()
    os.kill(owner(phone), signal.SIGKILL)
