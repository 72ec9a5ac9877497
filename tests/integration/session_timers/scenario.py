"""Session timers (RFC 4028) go on over a kill, and a call that is restored but not resumed is in quarantine: whatever
timer runs out, nothing leaves the machine."""

import time

from lib import checks, story
from lib.waiting import check

VARIANTS = ["refresher_phone", "refresher_peer", "peer_stops_refreshing", "quarantine"]
SLOW = True
INTERVAL_S = 90  # the least that RFC 4028 allows


def run(env):
    refresher = "uac" if env.variant in ("refresher_phone", "quarantine") else "uas"
    phone = env.phone(options=["--session-expires", INTERVAL_S]).start()
    peer = env.sipp("peer_called.xml", keys={"extra": f"Session-Expires: {INTERVAL_S};refresher={refresher}"},
                    options=["-timeout", "200s"])
    call_id = story.called_peer(env, phone, peer)
    check(phone.record()["timer"]["interval_s"] == INTERVAL_S, f"the timer: {phone.record()['timer']}")
    {"refresher_phone": refresher_phone, "refresher_peer": refresher_peer, "peer_stops_refreshing": peer_stops_refreshing,
     "quarantine": quarantine}[env.variant](env, phone, peer, call_id)


def quarantine(env, phone, _peer, _call_id):
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    env.capture.stays_silent(INTERVAL_S + 5, phone.from_here, "a call in quarantine spoke")
    phone.kill9()


def refresher_phone(env, phone, peer, call_id):
    """The refresh that was due after 45 s of the first life is due in the second."""
    started = time.time()
    env.capture.stays_silent(20, phone.from_here, "the phone spoke before its time")
    story.kill_and_resume(env, phone)
    resumed = time.time()
    refresh = env.capture.wait("a refresh", lambda m: m.method in ("INVITE", "UPDATE") and m.is_request
                               and phone.from_here(m), INTERVAL_S * 2 / 3, resumed)
    before = checks.sdp_sent(env.capture, phone, until=resumed)[-1]
    check(refresh.method == "UPDATE" or refresh.sdp == before.sdp, "the refresh has another SDP")
    phone.wait("call.refreshed")
    print(f"refreshed {refresh.time - started:.1f} s after the beginning, {refresh.time - resumed:.1f} s after the re-INVITE")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def refresher_peer(env, phone, peer, call_id):
    """The peer's refreshes keep the call: no BYE in more than the interval."""
    story.kill_and_resume(env, phone)
    for _ in range(3):
        env.capture.stays_silent(INTERVAL_S / 2 - 5, lambda m: m.method == "BYE", "the call ended")
        peer.cue("UNHOLD", call_id)  # a re-INVITE that changes nothing
        phone.wait("call.refreshed")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def peer_stops_refreshing(env, phone, peer, _call_id):
    """Then the phone ends the call before the interval is over (RFC 4028 section 10): it began with the re-INVITE."""
    story.kill_and_resume(env, phone)
    phone.wait("call.ended", INTERVAL_S + 10, by="timer")
    bye = env.capture.wait("the BYE", lambda m: m.method == "BYE" and m.is_request and phone.from_here(m))
    check(bye.time - phone.killed_at <= INTERVAL_S + 2, "the BYE came late")
    peer.wait_exit()
    phone.quit()
