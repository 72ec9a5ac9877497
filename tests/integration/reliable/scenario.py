"""Killed while it rings, and the other end rings reliably (RFC 3262), or wants us to. A PRACK is never sent again as
another request, a number is never used twice, and the call can be answered, cancelled and used as if nothing had happened."""

from lib import checks
from lib.kill import Kill, ends_well, nothing_stays
from lib.waiting import check, until

VARIANTS = [f"{what}_{mode}" for mode in ("plain", "kept") for what in (
    "caller_answered", "caller_unanswered", "caller_lost", "caller_cancels", "caller_more", "caller_answered_meanwhile",
    "caller_answered_before", "callee_answers", "callee_pracked_meanwhile", "callee_answered", "callee_answers_too_early",
    "callee_declines", "callee_offers")] + ["callee_answers_tcp"]

NOTHING = "Content-Length: 0\n"
SESSION = """Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=sipp 4711 1 IN IP[media_ip_type] [media_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
      a=sendrecv
"""


def run(env):
    what, _, mode = env.variant.rpartition("_")
    globals()[what](Kill(env, kept=mode in ("kept", "tcp"), transport="tcp" if mode == "tcp" else None))


# ---- The phone calls --------------------------------------------------------------------------

def calls(kill, first="answered", lost="no", rings="180 Ringing", body=NOTHING):
    """The phone has sent its PRACK, and has its answer if there is one."""
    env, phone = kill.env, kill.phone
    answers_at_once = first == "answered" and lost == "no"
    # sipp would else do nothing about a PRACK that comes again after it has done nothing about it.
    options = () if answers_at_once else ("-nr",)
    peer = env.sipp("rings_reliably.xml", options=options,
                    keys={"first": first, "lost": lost, "rings": rings, "body": body})
    phone.send(f"call {peer.uri}")
    prack = env.capture.wait("the PRACK", lambda m: m.method == "PRACK" and m.is_request and phone.from_here(m))
    invite = env.capture.wait("the INVITE", lambda m: m.method == "INVITE" and phone.from_here(m))
    check(prack.get("rack") == f"77 {invite.cseq} INVITE", f"RAck: {prack.get('rack')}")
    phone.wait("call.progress")
    if answers_at_once:
        # Answered on the wire is not enough: killed before it has read the answer, it would rightly send its PRACK again.
        until(lambda: phone.record()["in_flight"]["prack_sent"]["done"], 5, "the record to say that the PRACK is answered")
    return peer, prack


def one_prack(kill, rseq=77):
    """However often, it is one request, and nobody has refused it."""
    sent = [m for m in kill.env.capture.sync().messages(kill.phone.from_here) if m.method == "PRACK" and m.is_request
            and m.get("rack").startswith(f"{rseq} ")]
    check(len({(m.branch, m.cseq) for m in sent}) == 1, "not one PRACK:\n" + "\n".join(map(str, sent)))
    refused = [m for m in kill.env.capture.messages(kill.phone.to_here) if m.method == "PRACK" and m.status not in (None, 200)]
    check(not refused, f"refused: {refused}")
    return sent


def is_answered(kill, peer, call_id, cue="ANSWER"):
    peer.cue(cue, call_id)
    kill.phone.wait("call.established")
    ends_well(kill, "phone", peer, call_id)


def comes_back(kill):
    kill()
    kill.back()
    kill.phone.wait("call.progress", 8)


def caller_answered(kill):
    peer, prack = calls(kill)
    comes_back(kill)
    is_answered(kill, peer, prack.call_id)
    check(len(one_prack(kill)) == 1, "it was sent again")


def caller_unanswered(kill):
    """The peer has had the PRACK, and its 200 does not arrive."""
    said_again(kill, *calls(kill, first="unanswered"))


def caller_lost(kill):
    """The peer has not had the PRACK."""
    said_again(kill, *calls(kill, lost="yes"))


def said_again(kill, peer, prack):
    comes_back(kill)
    kill.env.capture.wait("the 200 to the PRACK", lambda m: m.method == "PRACK" and m.status == 200)
    is_answered(kill, peer, prack.call_id)
    one_prack(kill)


def caller_cancels(kill):
    peer, prack = calls(kill)
    comes_back(kill)
    kill.phone.send("bye 1")
    kill.phone.wait("call.ended", by="local")
    peer.wait_exit()
    one_prack(kill)
    checks.one_dialog(kill.env.capture, kill.phone, bye_asked=True)
    nothing_stays(kill)


def caller_more(kill):
    """Another reliable answer after the restart is acknowledged above all that the first life has used."""
    peer, prack = calls(kill)
    comes_back(kill)
    peer.cue("MORE", prack.call_id)
    kill.env.capture.wait("the second PRACK", lambda m: m.method == "PRACK" and (m.get("rack") or "").startswith("78 "))
    is_answered(kill, peer, prack.call_id)
    one_prack(kill)
    one_prack(kill, 78)


def caller_answered_meanwhile(kill):
    """The INVITE is answered while nobody is there: no PRACK in the second life."""
    peer, prack = calls(kill)
    kill.answered_meanwhile(peer, prack.call_id)
    kill.phone.wait("call.established")
    ends_well(kill, "peer", peer, prack.call_id)
    check(len(one_prack(kill)) == 1, "it was sent again")


def caller_answered_before(kill):
    """The answer to our offer came in a 183, which is not sent again; the 200 has none."""
    peer, prack = calls(kill, rings="183 Session Progress", body=SESSION)
    kill.answered_meanwhile(peer, prack.call_id, "BARE")
    kill.phone.wait("call.resumed")
    ends_well(kill, "peer", peer, prack.call_id)
    check(len(one_prack(kill)) == 1, "it was sent again")


# ---- The phone is called ----------------------------------------------------------------------

def is_called(kill, pracked=True, offer=SESSION, answer=NOTHING):
    env, phone = kill.env, kill.phone
    peer = env.sipp("calls_reliably.xml", remote="127.0.0.1:5060", transport=kill.transport or "udp",
                    keys={"phone": "127.0.0.1:5060", "offer": offer, "answer": answer})
    phone.wait("call.incoming")
    ringing = env.capture.wait("180", lambda m: m.status == 180 and phone.from_here(m))
    check(ringing.get("require") == "100rel" and ringing.get("rseq") == "1", f"not reliable:\n{ringing.data.decode()}")
    if pracked:
        acknowledges(kill, peer, ringing)
    return peer, ringing


def acknowledges(kill, peer, ringing):
    peer.cue("PRACK", ringing.call_id)
    prack_answered(kill)


def prack_answered(kill):
    kill.env.capture.wait("the 200 to the PRACK", lambda m: m.method == "PRACK" and m.status == 200)


def ends_well_here(kill, who, peer, ringing):
    """All that was ever said to the INVITE is one 180 and one 200, and no PRACK was refused."""
    kill.phone.wait("call.established")
    ours = [m for m in kill.env.capture.sync().messages(kill.phone.from_here) if not m.is_request]
    for status in (180, 200):
        said = [m for m in ours if m.status == status and m.method == "INVITE"]
        check(all(m.data == said[0].data for m in said),
              "two answers:\n" + "\n".join(m.data.decode() for m in said[:1] + said[-1:]))
    refused = [m for m in ours if m.method == "PRACK" and m.status != 200]
    check(not refused, f"refused: {refused}")
    ends_well(kill, who, peer, ringing.call_id)


def callee_answers(kill):
    peer, ringing = is_called(kill)
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    kill.phone.send("answer 1")
    ends_well_here(kill, "peer", peer, ringing)


def callee_pracked_meanwhile(kill):
    """The PRACK comes while nobody is there; it is repeated, or waits in the socket."""
    peer, ringing = is_called(kill, pracked=False)
    kill()
    peer.cue("PRACK", ringing.call_id)
    kill.env.capture.wait("the PRACK", lambda m: m.method == "PRACK" and m.is_request)
    kill.back()
    kill.phone.wait("call.incoming")
    prack_answered(kill)
    kill.phone.send("answer 1")
    ends_well_here(kill, "phone", peer, ringing)


def callee_answered(kill):
    """Our 200 is out, the ACK has not come."""
    peer, ringing = is_called(kill)
    peer.process.freeze()
    kill.phone.send("answer 1")
    kill.env.capture.wait("the 200", lambda m: m.status == 200 and m.method == "INVITE" and kill.phone.from_here(m))
    kill()
    peer.process.thaw()
    kill.back()
    ends_well_here(kill, "phone", peer, ringing)


def callee_answers_too_early(kill):
    """The user has answered, and the 200 waits for the PRACK, over the kill."""
    peer, ringing = is_called(kill, pracked=False)
    kill.phone.send("answer 1")
    until(lambda: kill.phone.record(1)["phase"] == "answered", 2, "the record to say that it is answered")
    kill()
    kill.back()
    acknowledges(kill, peer, ringing)
    ends_well_here(kill, "phone", peer, ringing)


def callee_declines(kill):
    peer, ringing = is_called(kill)
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    kill.phone.do("decline 1")
    peer.wait_exit()
    nothing_stays(kill)


def callee_offers(kill):
    """The INVITE has no offer, so our 180 has one, and the PRACK the answer."""
    peer, ringing = is_called(kill, offer=NOTHING, answer=SESSION)
    kill()
    kill.back()
    kill.phone.wait("call.incoming")
    kill.phone.send("answer 1")
    ends_well_here(kill, "phone", peer, ringing)
