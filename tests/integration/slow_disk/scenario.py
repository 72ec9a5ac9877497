"""A disk that does not answer: the audio goes on, nothing that is not stored leaves, what comes in is answered when the disk
is back, and a kill in the middle loses nothing."""

import os
import subprocess
import time

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["hold", "call", "killed"]
PACKETS = 50


def run(env):
    library, stall = env.path("stall.so"), Stall(env.path("stall"))
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stall.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    # A sanitizer wants to be loaded first, and need not be.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    phone = env.phone(audio="tone:440", options=["--durable"],
                      launcher=["env", f"LD_PRELOAD={library}", f"STALL={stall.path}", f"ASAN_OPTIONS={sanitizer}"]).start()
    {"hold": hold, "call": call, "killed": killed}[env.variant](env, phone, stall)


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
    check(len(invites(env, phone)) == before, "the re-INVITE left before it was stored")
    stall.end()
    phone.wait("call.held", by="local")
    phone.wait("call.info")
    story.unhold(env, phone)
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
