"""The user holds the call while the peer has not answered an INFO: the offer leaves when it has."""

import time

from lib import checks, story
from lib.waiting import check

VARIANTS = ["info", "options"]


def run(env):
    method = env.variant.upper()
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)

    peer.process.freeze()
    since = time.time()
    phone.send("info 1 5" if method == "INFO" else "options 1")
    env.capture.wait(f"the {method}", lambda m: m.method == method and not m.status and m.time > since)
    phone.send("hold 1")
    phone.do("calls")
    check([e["state"] for e in phone.seen("call.listed")] == ["modifying"], "the hold is not under way")
    peer.process.thaw()
    phone.wait("call.held", by="local")
    story.acked(env, since)
    check(b"a=sendonly" in checks.sdp_sent(env.capture, phone)[-1].sdp, "the peer was offered no hold")

    story.unhold(env, phone)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
