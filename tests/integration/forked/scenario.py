"""A proxy has forked the INVITE. One callee has the call, and every other that answers is told BYE, whichever life of the
phone hears it (RFC 3261 section 13.2.2.4). That one callee has rung reliably does not keep another from answering."""

from lib import story
from lib.kill import Kill, nothing_stays
from lib.waiting import check

VARIANTS = ["second_answer_plain", "second_answer_after_kill_plain", "second_answer_after_kill_kept", "rings_elsewhere_plain",
            "rings_elsewhere_kept"]


def run(env):
    what, _, mode = env.variant.rpartition("_")
    globals()[what](Kill(env, kept=mode == "kept"))


def other_is_told(kill):
    """One ACK or more, and one BYE, in a dialog of its own."""
    env, phone = kill.env, kill.phone
    bye = env.capture.wait("the BYE to the other", lambda m: m.method == "BYE" and m.is_request and phone.from_here(m)
                           and m.tag("to").startswith("other"))
    env.capture.wait("its 200", lambda m: m.method == "BYE" and m.status == 200)
    sent = [m for m in env.capture.sync().messages(phone.from_here) if m.is_request]
    other = [m for m in sent if (m.tag("to") or "").startswith("other")]
    invite = next(m for m in sent if m.method == "INVITE")
    check({m.method for m in other} == {"ACK", "BYE"}, f"to the other: {other}")
    check(all(m.cseq == invite.cseq for m in other if m.method == "ACK"), f"an ACK for no INVITE: {other}")
    check({(m.cseq, m.branch) for m in other if m.method == "BYE"} == {(bye.cseq, bye.branch)}, f"BYE: {other}")
    # Also above a PRACK that this callee has had, of whichever life.
    check(bye.cseq > max(m.cseq for m in sent if m.method != "BYE"), f"the BYE's CSeq is not above all before it: {sent}")
    check(all("other@" in m.uri for m in other), f"not to its Contact: {other}")


def goes_on(kill, peer, call_id):
    """With the peer, until the phone hangs up."""
    story.use(kill.env, kill.phone, peer, call_id)
    story.hang_up(kill.env, kill.phone, peer, "phone", call_id)
    byes = [m for m in kill.env.capture.sync().messages(kill.phone.from_here) if m.method == "BYE" and m.is_request
            and m.tag("to").startswith("peer")]
    check(len({m.branch for m in byes}) == 1, f"not one BYE to the peer: {byes}")
    nothing_stays(kill)


def second_answer(kill):
    peer = kill.env.sipp("answers_twice.xml")
    call_id = story.called_peer(kill.env, kill.phone, peer)
    peer.cue("OTHER", call_id)
    other_is_told(kill)
    goes_on(kill, peer, call_id)


def second_answer_after_kill(kill):
    peer = kill.env.sipp("answers_twice.xml")
    call_id = story.called_peer(kill.env, kill.phone, peer)
    kill()
    kill.back()
    kill.phone.wait("call.restored")
    peer.cue("OTHER", call_id)
    other_is_told(kill)
    story.reinvite(kill.phone)
    goes_on(kill, peer, call_id)


def rings_elsewhere(kill):
    """And the call survives as any other."""
    env, phone = kill.env, kill.phone
    peer = env.sipp("rings_elsewhere.xml")
    phone.send(f"call {peer.uri}")
    prack = env.capture.wait("the PRACK", lambda m: m.method == "PRACK" and m.is_request)
    peer.cue("ANSWER", prack.call_id)
    phone.wait("call.established")
    phone.wait("call.resumed")  # the stack has waited for the other, and knows this one since then
    kill()
    kill.back()
    phone.wait("call.restored")
    story.reinvite(phone)
    goes_on(kill, peer, prack.call_id)
