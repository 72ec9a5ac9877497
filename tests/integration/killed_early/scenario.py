"""Killed before the call is a call. Once our 200 is out the peer may believe in it, so it comes back; while it still
rings, it may be lost, and then the ledger says so and nobody raises a ghost."""

import os

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["answered_not_acked", "ringing_here", "ringing_there"]


def run(env):
    {"answered_not_acked": answered_not_acked, "ringing_here": ringing_here, "ringing_there": ringing_there}[env.variant](env)


def rings_here(env):
    phone = env.phone().start()
    peer = env.sipp("peer_calling.xml", remote="127.0.0.1:5060", keys={"phone": "127.0.0.1:5060"})
    phone.wait("call.incoming")
    ringing = env.capture.wait("180", lambda m: m.status == 180 and phone.from_here(m))
    return phone, peer, ringing.call_id


def answered_not_acked(env):
    phone, peer, call_id = rings_here(env)
    peer.process.freeze()
    phone.send("answer")
    env.capture.wait("the 200", lambda m: m.status == 200 and phone.from_here(m))
    phone.kill9()
    peer.process.thaw()
    env.capture.wait("the ACK that nobody hears", lambda m: m.method == "ACK" and phone.to_here(m))
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def said_and_forgotten(env, phone):
    phone.start()
    entry = phone.wait("ledger|call.restored", call=1)
    if entry["event"] == "ledger":
        check(entry.get("verdict") == "lost" and entry.get("reason"), f"not said to be lost, or not why: {entry}")
        until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
        phone.kill9()
        phone.start()
        phone.do("calls")
        check(not phone.seen("ledger") and not phone.seen("call.restored"), "a ghost")
    check(not [m for m in checks.requests(env.capture, phone, since=phone.killed_at) if m.method == "INVITE"],
          "an INVITE out of nothing")
    phone.kill9()


def ringing_here(env):
    phone, _, _ = rings_here(env)
    phone.kill9()
    said_and_forgotten(env, phone)


def ringing_there(env):
    phone = env.phone().start()
    peer = env.sipp("rings_on.xml")
    phone.send(f"call {peer.uri}")
    phone.wait("call.progress", status=180)
    phone.kill9()
    said_and_forgotten(env, phone)
