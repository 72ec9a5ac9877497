"""The wall clock steps by hours, while the phone runs or while it is dead: the call goes on, and the stream with it.
Only CLOCK_REALTIME steps, in the phone only, by libfaketime, which reads the step from a file."""

import glob
import os
import time

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["dead_forward", "dead_backward", "running_forward", "running_backward"]
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
STEP = {"forward": "+5h", "backward": "-5h"}


def run(env):
    how, _, way = env.variant.partition("_")
    library = next(iter(glob.glob(LIBRARY)), None)
    check(library, f"no {LIBRARY}: install faketime")
    step = env.path("step")
    write(step, "+0")
    phone = env.phone(audio="tone:440", launcher=[
        "env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={step}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0"]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    if how == "running":
        write(step, STEP[way])
        seen_by(phone, way)
        env.capture.wait_rtp("after the step", lambda r: r.source[0] == phone.address, 50, since=time.time())
        story.use(env, phone, peer, call_id)
    phone.kill9()
    if how == "dead":
        write(step, STEP[way])
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at, call_id)
    env.capture.wait_rtp("after it", lambda r: r.source[0] == phone.address, 20, since=time.time())
    seen_by(phone, way)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    ours = checks.rtp_from(env.capture, phone)
    missing = checks.one_stream(ours, pauses=True)
    check(missing < 250, f"{missing} RTP numbers were left out, which a step of the wall clock must not cause")
    phone.quit()


def write(path, text):
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text + "\n")
    os.replace(path + ".new", path)


def seen_by(phone, way):
    """The step has arrived: the phone's own timestamps are hours away."""
    def hours():
        event = phone.do("calls")
        there = time.strptime(event["time"][:19], "%Y-%m-%dT%H:%M:%S")
        return (time.mktime(there) - time.mktime(time.gmtime())) / 3600
    until(lambda: hours() > 4 if way == "forward" else hours() < -4, 5, "the phone to see the step")
