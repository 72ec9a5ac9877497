"""The steps that most scenarios share, each ending when both sides have seen it happen."""

import time

from . import checks
from .waiting import check, until


def called_peer(env, phone, peer, command=None):
    """The phone calls the peer and the peer has the ACK. Returns the Call-ID."""
    phone.send(command or f"call {peer.uri}")
    event = phone.wait("call.established", 8)
    env.capture.wait("the ACK of the call", lambda m: m.method == "ACK" and phone.from_here(m) and m.call_id == event["call_id"])
    settled(phone, event["call"])
    return event["call_id"]


def settled(phone, number):
    """The record knows that the ACK was sent, or has come. A kill before makes it be sent, or waited for, again."""
    until(lambda: not phone.keeps_records() or phone.record(number)["in_flight"]["cseq"] == 0, 5,
          "the record to say that the call is acknowledged")


def calling_peer(env, phone, **sipp):
    """sipp calls the phone, which answers; returns (sipp, Call-ID)."""
    host = f"[{phone.address}]" if ":" in phone.address else phone.address
    keys = {"phone": f"{host}:{phone.port}", **sipp.pop("keys", {})}
    peer = env.sipp(sipp.pop("xml", "peer_calling.xml"), remote=sipp.pop("remote", f"{host}:{phone.port}"), keys=keys, **sipp)
    answer(phone)
    return peer, env.capture.wait("the ACK of the call", lambda m: m.method == "ACK" and phone.to_here(m)).call_id


def answer(phone, number=1):
    """The phone answers the call that rings, and has the ACK."""
    phone.wait("call.incoming", call=number)
    phone.send(f"answer {number}")
    phone.wait("call.established", 8, call=number)
    settled(phone, number)


def reinvite(phone, what="", deadline_s=10):
    """By hand, as a user would: types reinvite and waits for the ledger's word. The event call.resumed."""
    phone.send(f"reinvite {what}".strip())
    return phone.wait("call.resumed", deadline_s)


def kill_and_resume(env, phone, call_id=None):
    """SIGKILL, start, reinvite: and the peer sees a refresh. Returns the re-INVITE."""
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    quiet(env, phone, phone.killed_at)
    reinvite(phone)
    invite = checks.same_refresh(env.capture, phone, phone.killed_at, call_id)
    acked(env, phone.killed_at)
    return invite


def acked(env, since):
    """An INVITE was answered since then, and every one that was has its ACK, on every hop: a proxy may still have it when
    the phone is done, and the phone tells of a change before its 200 has left."""
    def hops(method):
        messages = env.capture.messages(since=since)
        answered = {(m.call_id, m.cseq) for m in messages if m.method == "INVITE" and (m.status or 0) >= 200}
        return {(m.call_id, m.cseq, m.destination[0]) for m in messages
                if m.method == method and m.is_request and (m.call_id, m.cseq) in answered}
    env.capture.sync()
    until(lambda: hops("INVITE") and hops("INVITE") <= hops("ACK"), 5,
          lambda: "an ACK for every answered INVITE\n" + env.capture.exchange())


def quiet(env, phone, since):
    """Nothing has left the phone since then."""
    sent = env.capture.sync().messages(phone.from_here, since)
    check(not sent, "the phone spoke before it was asked to: " + "; ".join(map(str, sent)))


def use(env, phone, peer=None, call_id=None, info="hello"):
    """The call is good for everything that a call is good for, from both sides."""
    phone.do(f"info 1 {info}")
    hold(env, phone)
    unhold(env, phone)
    if peer is not None:
        since = time.time()
        peer.cue("INFO", call_id)
        phone.wait("call.info")
        env.capture.wait("the 200 to the peer's INFO", lambda m: m.status == 200 and m.method == "INFO"
                         and m.destination[0] == peer.address, since=since)
        peer_hold(env, phone, peer, call_id)
        peer_unhold(env, phone, peer, call_id)


def hold(env, phone, command="hold 1", event="call.held"):
    """The user holds the call, and the peer has the ACK."""
    since = time.time()
    phone.send(command)
    phone.wait(event, by="local")
    acked(env, since)


def unhold(env, phone):
    hold(env, phone, "unhold 1", "call.unheld")


def peer_hold(env, phone, peer, call_id, cue="HOLD", event="call.held"):
    """The peer holds the call, and the phone has the ACK."""
    since = time.time()
    peer.cue(cue, call_id)
    phone.wait(event, by="remote")
    acked(env, since)


def peer_unhold(env, phone, peer, call_id):
    peer_hold(env, phone, peer, call_id, "UNHOLD", "call.unheld")


def hang_up(env, phone, peer, who, call_id):
    """BYE from one side or the other; sipp has then gone through its whole scenario."""
    if who == "phone":
        phone.send("bye 1")
        phone.wait("call.ended", by="local")
    else:
        peer.cue("BYE", call_id)
        phone.wait("call.ended", by="remote")
    peer.wait_exit()
