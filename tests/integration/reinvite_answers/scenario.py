"""Whatever the peer answers to the re-INVITE, the call is not lost to it, unless the peer has ended it; and then the phone
says BYE too. The table is in src/COMEBACK.md."""

import os

from lib import checks, story
from lib.waiting import check, until

# answer -> (status line, a header of the answer, what becomes of the call)
ANSWERS = {
    "401": ("401 Unauthorized", 'WWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5', "again"),
    "407": ("407 Proxy Authentication Required", 'Proxy-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5', "again"),
    "422": ("422 Session Interval Too Small", "Min-SE: 3000", "again"),
    "491": ("491 Request Pending", "X-Peer: sipp", "again"),
    "491_callee": ("491 Request Pending", "X-Peer: sipp", "again"),
    "500": ("500 Server Internal Error", "X-Peer: sipp", "again"),
    "500_retry_after": ("500 Server Internal Error", "Retry-After: 2", "again"),
    "503": ("503 Service Unavailable", "X-Peer: sipp", "again"),
    "503_retry_after": ("503 Service Unavailable", "Retry-After: 2", "again"),
    "no_answer": (None, None, "again"),
    "port_closed": (None, None, "again"),
    "302": ("302 Moved Temporarily", "Contact: <sip:elsewhere@127.0.0.66:5060>", "stays"),
    "403": ("403 Forbidden", "X-Peer: sipp", "stays"),
    "488": ("488 Not Acceptable Here", "Warning: 304 peer \"not now\"", "stays"),
    "404": ("404 Not Found", "X-Peer: sipp", "gone"),
    "410": ("410 Gone", "X-Peer: sipp", "gone"),
    "481": ("481 Call/Transaction Does Not Exist", "X-Peer: sipp", "gone"),
}
VARIANTS = list(ANSWERS)
SLOW = ("no_answer",)


def run(env):
    status, header, outcome = ANSWERS[env.variant]
    credentials = env.path("credentials")
    with open(os.open(credentials, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write("test:alice:secret\n")
    options = ["--credentials", credentials]
    if env.variant == "no_answer":
        options += ["--resume-deadline", "60"]
    phone = env.phone(options=options).start()
    keys = {"status": status, "header": header} if status else {}
    xml = {"491_callee": "calls_then_answers.xml"}.get(env.variant, "answers.xml" if status else "peer_called.xml")
    if xml == "calls_then_answers.xml":
        peer, call_id = story.calling_peer(env, phone, xml=xml, keys=keys)
    else:
        peer = env.sipp(xml, keys=keys)
        call_id = story.called_peer(env, phone, peer)
    phone.kill9()
    phone.start()
    phone.wait("call.restored")

    if env.variant == "no_answer":
        peer.process.freeze()
    if env.variant == "port_closed":
        peer.kill9()
    phone.send("reinvite")
    first = checks_invite(env, phone, 0, 5)
    check(first.tag("to") is not None, "the re-INVITE has no To tag")

    if env.variant == "port_closed":
        env.capture.wait("a second try or a refusal", lambda m: phone.from_here(m), since=phone.killed_at)
        until(lambda: any(p.transport == "icmp" and p.time > phone.killed_at for p in env.capture.read().datagrams), 5,
              "ICMP port unreachable")
        peer = env.sipp("peer_midcall.xml", name="peer_again")

    {"again": goes_on_again, "stays": stays, "gone": is_gone}[outcome](env, phone, peer, call_id, first)
    byes = [m for m in checks.one_dialog(env.capture, phone, bye_asked=True) if m.method == "BYE"]
    check(len(byes) == 1, f"{len(byes)} BYEs")
    phone.quit()


def checks_invite(env, phone, above, deadline_s):
    """The first re-INVITE with a CSeq above that."""
    return env.capture.wait(f"a re-INVITE above CSeq {above}", lambda m: m.method == "INVITE" and m.is_request
                            and phone.from_here(m) and m.cseq > above, deadline_s, since=phone.killed_at)


def goes_on_again(env, phone, peer, call_id, first):
    """Asked again with a higher CSeq, the peer agrees, and the call is as before."""
    if env.variant == "no_answer":
        # Frozen until the transaction has timed out (32 s): another INVITE, not a retransmission, must reach it.
        second = checks_invite(env, phone, first.cseq, 50)
        peer.process.thaw()
    else:
        second = checks_invite(env, phone, first.cseq, 20)
    phone.wait("call.resumed", 15)
    check(second.sdp == first.sdp, "the second re-INVITE has another SDP")
    check(second.branch != first.branch, "the second re-INVITE has the branch of the first")
    answered = env.capture.messages(lambda m: m.status is not None and m.status >= 300 and m.cseq == first.cseq
                                    and m.method == "INVITE" and phone.to_here(m))
    waited = second.time - answered[0].time if answered else None
    if env.variant == "401":
        check(second.get("authorization"), "no Authorization in the second re-INVITE")
    elif env.variant == "407":
        check(second.get("proxy-authorization"), "no Proxy-Authorization in the second re-INVITE")
    elif env.variant == "422":
        interval = int((second.get("session-expires") or "0").split(";")[0])
        check(interval >= 3000, f"Session-Expires: {second.get('session-expires')} after Min-SE: 3000")
    elif env.variant == "491":
        check(2.05 <= waited <= 4.3, f"tried again {waited:.2f} s after 491; the Call-ID is ours, so 2.1 to 4 s")
    elif env.variant == "491_callee":
        check(waited <= 2.3, f"tried again {waited:.2f} s after 491; the Call-ID is not ours, so 0 to 2 s")
    elif env.variant.endswith("retry_after"):
        check(waited >= 1.95, f"tried again {waited:.2f} s after Retry-After: 2")
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)


def stays(env, phone, peer, call_id, first):
    """Said, not repeated, not followed; the dialog lives and a BYE ends it in the ordinary way."""
    phone.wait("call.refused|call.failed|error", 5)
    env.capture.wait("the ACK", lambda m: m.method == "ACK" and phone.from_here(m) and m.cseq == first.cseq)
    phone.do("info 1 still here")
    story.hang_up(env, phone, peer, "phone", call_id)
    check(len([m for m in checks.requests(env.capture, phone, since=phone.killed_at) if m.method == "INVITE"]) == 1,
          "the re-INVITE was repeated")
    check(not env.capture.messages(lambda m: m.destination[0] == "127.0.0.66"), "the 302 was followed")


def is_gone(env, phone, _peer, _call_id, first):
    """The peer had ended it: the phone says so, and BYE (RFC 3261 section 12.2.1.2), and forgets the call."""
    phone.wait("call.gone")
    env.capture.wait("the BYE", lambda m: m.method == "BYE" and m.is_request and phone.from_here(m))
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
    env.capture.wait("the ACK", lambda m: m.method == "ACK" and phone.from_here(m) and m.cseq == first.cseq)
