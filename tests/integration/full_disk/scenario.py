"""Persist before the wire: with no room for the record, the action fails before the peer hears of it, and what was
stored before stays as it was."""

import os
import subprocess

from lib import checks, story
from lib.waiting import check

VARIANTS = ["call", "answer", "hold"]


def run(env):
    disk = env.path("disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", disk], check=True)
    phone = env.phone(state=os.path.join(disk, "state"), audio="tone:440")
    phone.start()
    {"call": call, "answer": answer, "hold": hold}[env.variant](env, phone, os.path.join(disk, "filler"))


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    with open(path + "2", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x")
        except OSError:
            pass


def is_request(phone, method):
    return lambda m: m.method == method and m.is_request and phone.from_here(m)


def call(env, phone, filler):
    fill(filler)
    peer = env.sipp("peer_called.xml")
    phone.fails(f"call {peer.uri}")
    check(not env.capture.messages(is_request(phone, "INVITE")), "an INVITE left before it was stored")
    os.remove(filler)  # room again: it goes on as if nothing had been
    os.remove(filler + "2")
    story.called_peer(env, phone, peer)
    phone.quit()


def answer(env, phone, filler):
    fill(filler)
    env.sipp("peer_calling.xml", remote="127.0.0.1:5060", keys={"phone": "127.0.0.1:5060"})
    if phone.wait("call.incoming|error")["event"] == "call.incoming":
        phone.send("answer")
        phone.wait("error")
    env.capture.wait("a refusal", lambda m: m.method == "INVITE" and (m.status or 0) >= 300 and phone.from_here(m))
    check(not env.capture.messages(lambda m: m.status == 200 and phone.from_here(m)), "a 200 left before it was stored")
    os.remove(filler)
    os.remove(filler + "2")
    phone.quit()


def hold(env, phone, filler):
    """The journal may have room of its own for a record that it has stored before: then the hold is stored, and comes
    back. It must not be on the wire and not on the disk."""
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    before = len(env.capture.sync().messages(is_request(phone, "INVITE")))
    fill(filler)
    refused = phone.result("hold 1", 10)["event"] == "error"
    if refused:
        check(len(env.capture.sync().messages(is_request(phone, "INVITE"))) == before, "a hold left before it was stored")
        os.remove(filler)
        os.remove(filler + "2")
    check(phone.record()["hold"]["local"] != refused, f"the record does not tell what the peer was told: {phone.record()}")
    invite = story.kill_and_resume(env, phone)
    check((b"a=sendonly" in invite.sdp) != refused, "the hold was forgotten")
    if not refused:
        story.unhold(env, phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
