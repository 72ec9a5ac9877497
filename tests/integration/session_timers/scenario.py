"""Session timers (RFC 4028) go on over a kill, and a call that is restored but not resumed is in quarantine: whatever
timer runs out, nothing leaves the machine."""

import time

from lib import checks, story
from lib.waiting import check

VARIANTS = ["refresher_phone", "refresher_peer", "peer_stops_refreshing", "quarantine"]
SLOW = ("quarantine", "peer_stops_refreshing")
INTERVAL_S = 10


def run(env):
    refresher = "uac" if env.variant in ("refresher_phone", "quarantine") else "uas"
    phone = env.phone().start()
    peer = env.sipp("peer_called.xml", keys={"extra": f"Session-Expires: {INTERVAL_S};refresher={refresher}"})
    call_id = story.called_peer(env, phone, peer)

    if env.variant == "quarantine":
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
        env.capture.stays_silent(INTERVAL_S + 5, phone.from_here, "a call in quarantine spoke")
        phone.kill9()
        return

    if refresher == "uac":
        refresh(env, phone)
    story.kill_and_resume(env, phone)
    if env.variant == "refresher_phone":
        refresh(env, phone)
        story.hang_up(env, phone, peer, "phone", call_id)
        checks.one_dialog(env.capture, phone, bye_asked=True)
    elif env.variant == "refresher_peer":
        # Its refreshes keep the call: no BYE in more than the interval.
        for _ in range(3):
            env.capture.stays_silent(INTERVAL_S / 2, lambda m: m.method == "BYE", "the call ended")
            peer.cue("UNHOLD", call_id)
            phone.wait("call.refreshed|call.unheld")
        story.hang_up(env, phone, peer, "phone", call_id)
        checks.one_dialog(env.capture, phone, bye_asked=True)
    else:
        phone.wait("call.ended", INTERVAL_S + 5, by="timer")
        bye = env.capture.wait("the BYE", lambda m: m.method == "BYE" and m.is_request and phone.from_here(m))
        check(bye.time - phone.killed_at < INTERVAL_S + 3, "the BYE came late")
        peer.wait_exit()
    phone.quit()


def refresh(env, phone):
    """One refresh by the phone itself within the interval."""
    since = time.time()
    found = env.capture.wait("a refresh", lambda m: m.method in ("INVITE", "UPDATE") and m.is_request
                             and phone.from_here(m), INTERVAL_S, since)
    before = [m for m in checks.sdp_sent(env.capture, phone, until=since)][-1]
    check(found.method == "UPDATE" or found.sdp == before.sdp, "the refresh has another SDP")
    phone.wait("call.refreshed")
