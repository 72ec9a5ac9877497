"""A disk that does not answer: the audio goes on, nothing that is not stored leaves, what comes in is answered when the disk
is back, and a kill in the middle loses nothing. It is no hang: the keeper waits as well."""

import os
import signal
import subprocess
import time

from lib import checks, story
from lib.process import alive
from lib.waiting import check, until

VARIANTS = ["hold", "call", "killed", "hold_kept", "start_kept"]
PACKETS = 50


def run(env):
    library, stall = env.path("stall.so"), Stall(env.path("stall"))
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stall.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    # A sanitizer wants to be loaded first, and need not be.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--"]
    what, _, kept = env.variant.partition("_")
    phone = env.phone(audio="tone:440", options=["--durable"], resume="auto" if kept else "ask",
                      launcher=["env", f"LD_PRELOAD={library}", f"STALL={stall.path}", f"ASAN_OPTIONS={sanitizer}",
                                *(keeper if kept else [])]).start()
    globals()[what](env, phone, stall)
    check("revenant hung" not in phone.process.log(), "the keeper took the slow disk for a hang")


class Stall:
    def __init__(self, path):
        self.path = path

    def begin(self):
        with open(self.path, "wb"):
            pass

    def wait(self):
        until(lambda: os.path.exists(self.path + ".begun"), 5, "the phone to wait for its disk")

    def end(self):
        os.remove(self.path)


def invites(env, phone):
    return [m for m in env.capture.sync().messages(phone.from_here) if m.method == "INVITE" and m.is_request]


def audio_goes_on(env, phone):
    """A second of it, and the disk still stalls."""
    since = time.time()
    packets = env.capture.wait_rtp("while the disk stalls", lambda r: r.source[0] == phone.address, PACKETS, since=since)
    checks.one_stream(packets)


def hold(env, phone, stall):
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    stall.begin()
    before = len(invites(env, phone))
    phone.send("hold 1")
    stall.wait()
    peer.cue("INFO", call_id)
    audio_goes_on(env, phone)
    if phone.launcher[-1] == "--":
        no_death(phone, 4)
    check(len(invites(env, phone)) == before, "the re-INVITE left before it was stored")
    stall.end()
    phone.wait("call.held", by="local")
    phone.wait("call.info")
    story.unhold(env, phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def no_death(phone, seconds):
    pid, end = owner(phone), time.monotonic() + seconds
    while time.monotonic() < end:
        check(alive(pid), "the phone was killed:\n" + phone.process.log()[-500:])
        time.sleep(0.05)


def start(env, phone, stall):
    """The one that comes after a death waits while it starts."""
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    first = owner(phone)
    stall.begin()
    os.kill(first, signal.SIGKILL)
    stall.wait()
    until(lambda: owner(phone) != first, 5, "the next life")
    no_death(phone, 6.5)
    stall.end()
    phone.wait("call.resumed", 10)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def call(env, phone, stall):
    peer = env.sipp("peer_called.xml")
    stall.begin()
    phone.send(f"call {peer.uri}")
    stall.wait()
    check(not invites(env, phone), "the INVITE left before it was stored")
    stall.end()
    phone.wait("call.established", 8)
    story.settled(phone, 1)
    story.hang_up(env, phone, peer, "phone", None)
    phone.quit()


def killed(env, phone, stall):
    """While the hold is being stored. To the peer there has been none."""
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    stall.begin()
    phone.send("hold 1")
    stall.wait()
    phone.kill9()
    stall.end()
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "peer", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=False)
    phone.quit()
