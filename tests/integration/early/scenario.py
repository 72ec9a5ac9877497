"""Killed before the call is a call. What rings goes on ringing, at either end: it can be answered, refused and cancelled as
if nothing had happened. An answer that was not acknowledged is said again, and a refusal too. Over TCP that takes a keeper,
who holds the caller's connection."""

import os

from lib.far_end import FarEnd
from lib.kill import Kill, ends_well, nothing_stays
from lib.waiting import check, until

CALLER = ["caller_answered", "caller_refused", "caller_cancels", "caller_cancelled", "caller_cancelled_slowly",
          "caller_answered_meanwhile"]
CALLEE = ["callee_answers", "callee_declines", "callee_cancelled", "callee_cancelled_meanwhile", "callee_answered",
          "callee_declined"]
VARIANTS = ([f"{what}_{mode}" for mode in ("plain", "kept") for what in CALLER + CALLEE] + [f"{what}_tcp" for what in CALLEE] +
            ["connection_gone_plain"])


def run(env):
    what, _, mode = env.variant.rpartition("_")
    globals()[what](Kill(env, kept=mode in ("kept", "tcp"), transport="tcp" if mode == "tcp" else None))


# ---- The phone calls --------------------------------------------------------------------------

def calls(kill):
    env, phone = kill.env, kill.phone
    peer = env.sipp("rings_until_told.xml")
    phone.send(f"call {peer.uri}")
    phone.wait("call.progress", status=180)
    invite = env.capture.wait("the INVITE", lambda m: m.method == "INVITE" and phone.from_here(m))
    return peer, invite


def rings_again(kill):
    """Killed while it rings there, and told again that it does: the INVITE has reached the peer once more."""
    peer, invite = calls(kill)
    kill()
    kill.back()
    kill.phone.wait("call.progress", 8, status=180)
    return peer, invite


def same_transaction(kill, invite):
    """Whatever INVITE the peer has seen since is the first one, to the byte."""
    again = [m for m in kill.env.capture.sync().messages(kill.phone.from_here) if m.method == "INVITE" and m.is_request
             and m.cseq == invite.cseq]
    check(all(m.data == invite.data for m in again), f"another INVITE:\n{again[-1].data.decode()}\nnot\n{invite.data.decode()}")
    return again


def caller_answered(kill):
    peer, invite = rings_again(kill)
    peer.cue("ANSWER", invite.call_id)
    kill.phone.wait("call.established")
    check(len(same_transaction(kill, invite)) == 2, "the INVITE was not repeated just once")
    ends_well(kill, "phone", peer, invite.call_id)


def caller_answered_meanwhile(kill):
    peer, invite = calls(kill)
    kill.answered_meanwhile(peer, invite.call_id)
    kill.phone.wait("call.established")
    same_transaction(kill, invite)
    ends_well(kill, "peer", peer, invite.call_id)


def caller_refused(kill):
    peer, invite = rings_again(kill)
    peer.cue("BUSY", invite.call_id)
    kill.phone.wait("call.failed", status=486)
    peer.wait_exit()
    same_transaction(kill, invite)
    nothing_stays(kill)


def caller_cancels(kill):
    peer, invite = rings_again(kill)
    kill.phone.send("bye 1")
    kill.phone.wait("call.ended", by="local")
    peer.wait_exit()
    cancel = kill.env.capture.wait("the CANCEL", lambda m: m.method == "CANCEL" and m.is_request)
    check(cancel.branch == invite.branch, "the CANCEL has another branch")
    nothing_stays(kill)


def caller_cancelled(kill):
    """The CANCEL is on its way when the phone dies; the 487 finds nobody, and is acknowledged later."""
    peer, invite = calls(kill)
    peer.process.freeze()
    kill.phone.send("bye 1")
    kill.env.capture.wait("the CANCEL", lambda m: m.method == "CANCEL" and m.is_request)
    kill()
    peer.process.thaw()
    kill.back()
    kill.phone.wait("call.ended", by="local")
    peer.wait_exit()
    same_transaction(kill, invite)
    nothing_stays(kill)


def caller_cancelled_slowly(kill):
    """The CANCEL is answered after the restart, when the one of the second life waits for an answer to the INVITE."""
    peer, invite = calls(kill)
    peer.process.freeze()
    kill.phone.send("bye 1")
    kill.env.capture.wait("the CANCEL", lambda m: m.method == "CANCEL" and m.is_request)
    kill()
    kill.back()
    peer.process.thaw()
    kill.phone.wait("call.ended", by="local")
    peer.wait_exit()
    same_transaction(kill, invite)
    nothing_stays(kill)


# ---- The phone is called ----------------------------------------------------------------------

def is_called(kill, xml="peer_calling.xml"):
    env, phone = kill.env, kill.phone
    # Over TCP from the port of its Contact: that is where our requests go.
    peer = env.sipp(xml, remote="127.0.0.1:5060", keys={"phone": "127.0.0.1:5060"}, transport=kill.transport or "udp",
                    options=["-p", "5060"] if kill.transport == "tcp" else [])
    phone.wait("call.incoming")
    ringing = env.capture.wait("180", lambda m: m.status == 180 and phone.from_here(m))
    return peer, ringing


def same_answer(kill, status):
    """One answer of that status, however often, to the byte."""
    said = [m for m in kill.env.capture.sync().messages(kill.phone.from_here) if m.status == status and m.method == "INVITE"]
    first = [m for m in said if m.cseq == said[0].cseq]
    check(first and all(m.data == first[0].data for m in first),
          "two answers:\n" + "\n".join(m.data.decode() for m in first[:1] + first[-1:]))
    return first


def callee_answers(kill):
    peer, ringing = is_called(kill)
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    kill.phone.send("answer 1")
    kill.phone.wait("call.established")
    ok = same_answer(kill, 200)
    check(ok[0].tag("to") == ringing.tag("to"), "the tag has changed")
    ends_well(kill, "peer", peer, ringing.call_id)


def callee_declines(kill):
    peer, ringing = is_called(kill, "calls_in_vain.xml")
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    kill.phone.do("decline 1")
    peer.wait_exit()
    check(same_answer(kill, 486)[0].tag("to") == ringing.tag("to"), "the tag has changed")
    nothing_stays(kill)


def callee_cancelled(kill):
    peer, ringing = is_called(kill, "calls_and_cancels.xml")
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    peer.cue("CANCEL", ringing.call_id)
    kill.phone.wait("call.ended", by="remote")
    peer.wait_exit()
    nothing_stays(kill)


def callee_cancelled_meanwhile(kill):
    """The CANCEL comes while nobody is there; it is repeated, or waits in the socket."""
    peer, ringing = is_called(kill, "calls_and_cancels.xml")
    kill()
    peer.cue("CANCEL", ringing.call_id)
    kill.env.capture.wait("the CANCEL", lambda m: m.method == "CANCEL" and m.is_request)
    kill.back()
    kill.phone.wait("call.ended", by="remote")
    peer.wait_exit()
    nothing_stays(kill)


def callee_answered(kill):
    """Our 200 is out, the ACK has not come."""
    peer, ringing = is_called(kill)
    peer.process.freeze()
    kill.phone.send("answer 1")
    kill.env.capture.wait("the 200", lambda m: m.status == 200 and kill.phone.from_here(m))
    kill()
    peer.process.thaw()
    kill.back()
    kill.phone.wait("call.established")
    check(len(same_answer(kill, 200)) > 1, "the 200 was not repeated")
    ends_well(kill, "phone", peer, ringing.call_id)


def callee_declined(kill):
    """Our 486 is out, the ACK has not come."""
    peer, ringing = is_called(kill, "calls_in_vain.xml")
    peer.process.freeze()
    kill.phone.send("decline 1")
    kill.env.capture.wait("the 486", lambda m: m.status == 486 and kill.phone.from_here(m))
    kill()
    peer.process.thaw()
    kill.back()
    peer.wait_exit()
    check(len(kill.phone.seen("call.incoming")) == (1 if kill.kept else 0), "it rings again")
    nothing_stays(kill)


def connection_gone(kill):
    """Over TCP without a keeper: the caller sees its connection close, and has given up. Said, nothing stays, and
    the next call is one like any other."""
    kill.transport = "tcp"
    is_called(kill, "calls_in_vain.xml")
    kill()
    kill.back()
    entry = kill.phone.wait("ledger")
    check(entry["verdict"] == "lost" and "TCP connection" in entry["reason"], f"{entry}")
    until(lambda: not os.path.exists(kill.phone.record_path()), 2, "the record to be removed")
    far = FarEnd(kill.env, address="127.0.0.9")
    far.called(kill.env, kill.phone, number=2)
    kill.phone.send("bye 2")
    far.answer(far.take("BYE"), 200)
    kill.phone.wait("call.ended", by="local")
    kill.phone.send("quit")
    check(kill.phone.wait_exit() == 3, "the exit status does not say that a call was lost")
