"""The wall clock steps by hours, while the phone runs or while it is dead: the call goes on, and the stream with it. What
is repeated goes on being repeated at its times, and the session is refreshed in time.
Only CLOCK_REALTIME steps, in the phone only, by libfaketime, which reads the step from a file."""

import glob
import os
import re
import time

from lib import checks, story
from lib.waiting import check, until

VARIANTS = [f"{how}_{way}" for how in ("refreshes", "dead", "running", "calling", "answering", "resuming")
            for way in ("forward", "backward")]
SLOW = True
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
STEP = {"forward": "+5h", "backward": "-5h"}
SESSION_S = 90  # the least that RFC 4028 allows


def run(env):
    how, _, way = env.variant.partition("_")
    library = next(iter(glob.glob(LIBRARY)), None)
    check(library, f"no {LIBRARY}: install faketime")
    step = env.path("step")
    write(step, "+0")
    phone = env.phone(audio="tone:440", launcher=[
        "env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={step}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0"])

    def steps():
        write(step, STEP[way])
        if phone.process is not None and phone.process.running():
            seen_by(phone, way)
    globals()[how](env, phone, steps)
    if how in ("dead", "running"):
        seen_by(phone, way)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def dead(env, phone, steps):
    peer, call_id = timed_call(env, phone)
    phone.kill9()
    steps()
    back_to_the_end(env, phone, peer, call_id)


def running(env, phone, steps):
    peer, call_id = timed_call(env, phone)
    steps()
    env.capture.wait_rtp("after the step", lambda r: r.source[0] == phone.address, 50, since=time.time())
    story.use(env, phone, peer, call_id)
    phone.kill9()
    back_to_the_end(env, phone, peer, call_id)


def timed_call(env, phone):
    phone.start()
    peer = env.sipp("peer_called.xml", keys={"extra": "Session-Expires: 1800;refresher=uac"})
    call_id = story.called_peer(env, phone, peer)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    return peer, call_id


def back_to_the_end(env, phone, peer, call_id):
    """What the new process says of the old one's deadline is what the old one meant."""
    phone.start()
    phone.wait("call.restored")
    left = time_left(phone)
    check(1700 < left <= 1800, f"{left} s are left of a session that has 1800 s and is a minute old")
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at, call_id)
    env.capture.wait_rtp("after it", lambda r: r.source[0] == phone.address, 20, since=time.time())
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    ours = checks.rtp_from(env.capture, phone)
    missing = checks.one_stream(ours, pauses=True)
    check(missing < 250, f"{missing} RTP numbers were left out, which a step of the wall clock must not cause")


def refreshes(env, phone, steps):
    """The refresh is due after half of the interval: it comes neither at once nor hours later."""
    phone.options += ["--session-expires", SESSION_S]
    phone.start()
    peer = env.sipp("peer_called.xml", keys={"extra": f"Session-Expires: {SESSION_S};refresher=uac"})
    call_id = story.called_peer(env, phone, peer)
    began = env.capture.wait("the ACK", lambda m: m.method == "ACK" and phone.from_here(m)).time
    env.capture.stays_silent(5, phone.from_here, "the phone spoke before its time")
    steps()
    refresh = env.capture.wait("a refresh", lambda m: m.method in ("INVITE", "UPDATE") and m.is_request and phone.from_here(m)
                               and m.time > began, SESSION_S)
    after = refresh.time - began
    check(SESSION_S / 2 - 10 < after < SESSION_S * 2 / 3, f"the session was refreshed {after:.1f} s after it had begun")
    phone.wait("call.refreshed")
    story.hang_up(env, phone, peer, "phone", call_id)


def calling(env, phone, steps):
    """Our INVITE: at 0, 0.5, 1.5, 3.5, 7.5 s (RFC 3261 section 17.1.1.2)."""
    phone.start()
    peer = env.sipp("peer_called.xml")
    peer.process.freeze()
    phone.send(f"call {peer.uri}")
    repeats(env, lambda m: m.method == "INVITE" and m.is_request and phone.from_here(m), steps)
    peer.process.thaw()
    call_id = phone.wait("call.established", 10)["call_id"]
    story.settled(phone, 1)
    story.kill_and_resume(env, phone, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)


def answering(env, phone, steps):
    """Our 2xx, until the ACK comes: at the same times (section 13.3.1.4)."""
    phone.start()
    peer = env.sipp("peer_calling.xml", remote=f"{phone.address}:{phone.port}", keys={"phone": f"{phone.address}:{phone.port}"})
    phone.wait("call.incoming")
    env.capture.wait("180", lambda m: m.status == 180 and phone.from_here(m))
    peer.process.freeze()
    phone.send("answer 1")
    repeats(env, lambda m: m.status == 200 and m.method == "INVITE" and phone.from_here(m), steps)
    peer.process.thaw()
    call_id = env.capture.wait("the ACK", lambda m: m.method == "ACK" and phone.to_here(m)).call_id
    phone.wait("call.established")
    story.settled(phone, 1)
    story.hang_up(env, phone, peer, "phone", call_id)


def resuming(env, phone, steps):
    """The re-INVITE that takes the call up again."""
    phone.start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    peer.process.freeze()
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite 1")
    repeats(env, lambda m: m.method == "INVITE" and m.is_request and phone.from_here(m) and m.time > phone.killed_at, steps)
    peer.process.thaw()
    phone.wait("call.resumed", 10)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)


def repeats(env, match, steps):
    """Said at 0, 0.5, 1.5 and 3.5 s although the clock steps after the second time. The machine may be busy: late, by less
    than the next interval, but never early."""
    def said(count):
        return until(lambda: (lambda found: found if len(found) >= count else None)(env.capture.messages(match)), 20,
                     lambda: f"it to be said {count} times\n" + env.capture.exchange())
    said(2)
    steps()
    times = [m.time for m in said(4)]
    gaps = [round(b - a, 2) for a, b in zip(times, times[1:])]
    for gap, wanted in zip(gaps, (0.5, 1, 2)):
        check(wanted * 0.7 < gap < wanted * 2.5, f"it was said again after {gaps} s")
    env.capture.stays_silent(1, match, "it was said again too soon")


def time_left(phone):
    phone.send("show 1")
    return int(re.search(r"(-?\d+) s left", phone.wait("call.shown")["text"]).group(1))


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
