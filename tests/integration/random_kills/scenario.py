"""At whatever instant: fifteen kills, each up to 40 ms after a command was typed, so before, during and after its
exchange with the peer. Every time the call comes back, and to the peer it has been one dialog and one stream."""

import random
import time

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["asked_1", "asked_2", "automatic_1", "automatic_2"]
ROUNDS = 15


def run(env):
    how, seed = env.variant.split("_")
    dice = random.Random(env.variant)
    print(f"seed {seed}")
    phone = env.phone(audio="tone:440", resume="auto" if how == "automatic" else "ask").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    for n in range(ROUNDS):
        command = dice.choice(["hold 1", "unhold 1", "info 1 hello", "reinvite 1", "calls"])
        instant = time.monotonic() + dice.uniform(0, 0.04)
        phone.send(command)
        until(lambda at=instant: time.monotonic() >= at, 1, "the instant", step_s=0.001)
        phone.kill9()
        phone.start()
        if how == "asked":
            phone.wait("call.restored")
            phone.send("reinvite")
        try:
            event = phone.wait("call.resumed|call.lost|call.gone|call.ended", 15)
        except Exception:
            print(f"round {n}: killed after {command!r}")
            raise
        check(event["event"] == "call.resumed", f"round {n}, killed after {command!r}: {event}")
    if phone.record()["hold"]["local"]:
        story.unhold(env, phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    print(f"{checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)} RTP packets missing after {ROUNDS} kills")
    phone.quit()
