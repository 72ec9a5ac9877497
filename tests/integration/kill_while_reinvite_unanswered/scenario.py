"""Killed between its re-INVITE and the answer: the CSeq of the next is higher, and the call goes on."""

from lib import checks, story
from lib.waiting import check

VARIANTS = ["peer_silent", "answered_to_nobody", "hold_unanswered"]


def run(env):
    phone = env.phone().start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    is_invite = lambda m: m.method == "INVITE" and m.is_request and phone.from_here(m)  # noqa: E731

    if env.variant == "hold_unanswered":  # the re-INVITE that nobody answered was the user's own
        peer.process.freeze()
        phone.send("hold 1")
        first = env.capture.wait("the hold", lambda m: is_invite(m) and b"a=sendonly" in m.body)
    else:
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
        peer.process.freeze()
        phone.send("reinvite")
        first = env.capture.wait("the re-INVITE", is_invite, since=phone.killed_at)
    phone.kill9()

    if env.variant == "answered_to_nobody":
        peer.process.thaw()
        env.capture.wait("the answer that nobody hears", lambda m: m.status == 200 and phone.to_here(m)
                         and m.cseq == first.cseq)
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite")
    second = env.capture.wait("the next re-INVITE", is_invite, since=phone.killed_at)
    peer.process.thaw()
    phone.wait("call.resumed", 10)
    check(second.cseq > first.cseq, f"CSeq {second.cseq} after {first.cseq}")
    if env.variant != "hold_unanswered":
        check(second.sdp == first.sdp, "the SDP of the second re-INVITE differs")
        phone.do("info 1 hello")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
