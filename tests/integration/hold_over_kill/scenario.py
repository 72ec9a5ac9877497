"""A held call comes back held: by whom, and unheld only when that one says so."""

from lib import checks, story
from lib.waiting import check

VARIANTS = ["local", "remote", "both"]


def run(env):
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    if env.variant in ("local", "both"):
        story.hold(env, phone)
    if env.variant in ("remote", "both"):
        story.peer_hold(env, phone, peer, call_id)

    invite = story.kill_and_resume(env, phone)
    wanted = {"local": (b"a=sendonly",), "remote": (b"a=recvonly",), "both": (b"a=inactive",)}[env.variant]
    check(any(w in invite.sdp for w in wanted), f"the re-INVITE does not say {wanted}:\n{invite.sdp.decode()}")
    check(not phone.seen("call.unheld"), "the call came back unheld")

    if env.variant in ("remote", "both"):
        story.peer_unhold(env, phone, peer, call_id)
    if env.variant in ("local", "both"):
        check(not [e for e in phone.seen("call.unheld") if e["by"] == "local"], "the peer took our hold off")
        story.unhold(env, phone)
    last = checks.sdp_sent(env.capture, phone)[-1]
    check(not any(w in last.sdp for w in (b"a=sendonly", b"a=recvonly", b"a=inactive")),
          f"still held:\n{last.sdp.decode()}")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
