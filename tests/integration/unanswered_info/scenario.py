"""The peer has not answered an INFO: a hold leaves when it has, our BYE and the refresh of the session do not wait."""

import time

from lib import checks, story
from lib.waiting import check

VARIANTS = ["hold", "hold_behind_options", "hold_behind_challenge", "bye", "bye_killed", "refresh"]
SLOW = ["refresh"]
INTERVAL_S = 90  # the least that RFC 4028 allows


def run(env):
    phone = env.phone(audio="tone:440", options=["--session-expires", INTERVAL_S]).start()
    challenged = env.variant == "hold_behind_challenge"
    if challenged:
        phone.send("key test alice secret")
    peer = env.sipp("challenges_info.xml" if challenged else "peer_called.xml",
                    keys={"extra": f"Session-Expires: {INTERVAL_S};refresher=uac"}, options=["-timeout", "200s"])
    call_id = story.called_peer(env, phone, peer)
    {"hold": hold, "bye": bye, "refresh": refresh}[env.variant.partition("_")[0]](env, phone, peer, call_id)


def ask(env, phone, peer, command="info 1 5", method="INFO"):
    """The peer hears the question and is silent. Returns when that was."""
    peer.process.freeze()
    since = time.time()
    phone.send(command)
    env.capture.wait(f"the {method}", lambda m: m.method == method and m.is_request, since=since)
    return since


def hold(env, phone, peer, call_id):
    behind_options = env.variant == "hold_behind_options"
    since = ask(env, phone, peer, *(["options 1", "OPTIONS"] if behind_options else []))
    phone.send("hold 1")
    phone.do("calls")
    check([e["state"] for e in phone.seen("call.listed")] == ["modifying"], "the hold is not under way")
    peer.process.thaw()
    phone.wait("call.held", by="local")
    story.acked(env, since)
    if env.variant == "hold_behind_challenge":
        infos = [m for m in env.capture.messages(phone.from_here, since) if m.method == "INFO"]
        check(infos[-1].get("authorization"), f"the challenge was not answered: {infos}")
    check(b"a=sendonly" in checks.sdp_sent(env.capture, phone)[-1].sdp, "the peer was offered no hold")

    story.unhold(env, phone)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def bye(env, phone, peer, _call_id):
    since = ask(env, phone, peer)
    phone.send("bye 1")
    env.capture.wait("the BYE", lambda m: m.method == "BYE" and m.is_request, since=since)
    if env.variant == "bye_killed":
        phone.kill9()
        phone.start()
        env.capture.wait("the BYE again", lambda m: m.method == "BYE" and m.is_request, since=phone.killed_at)
    heard = env.capture.messages(lambda m: m.source[0] == peer.address, since)
    check(not heard, f"the peer was not silent: {heard}")
    peer.process.thaw()
    phone.wait("call.ended", by="local")
    peer.wait_exit()
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def refresh(env, phone, peer, call_id):
    env.capture.stays_silent(INTERVAL_S / 2 - 10, phone.from_here, "the phone spoke before its time")
    since = ask(env, phone, peer)
    env.capture.wait("the refresh", lambda m: m.method == "INVITE" and m.is_request, 30, since)
    peer.process.thaw()
    phone.wait("call.refreshed")
    story.acked(env, since)

    story.hold(env, phone)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
