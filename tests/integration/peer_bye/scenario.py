"""The peer hangs up around the kill: its BYE finds the dialog, and a call that it has ended is not raised again."""

import os

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["while_quarantined", "while_dead", "given_up"]


def run(env):
    phone = env.phone().start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    phone.kill9()

    if env.variant == "while_dead":  # sent to nobody, sent again to the restored phone
        peer.cue("BYE", call_id)
        env.capture.wait("the BYE that nobody hears", lambda m: m.method == "BYE" and phone.to_here(m))
    phone.start()
    if env.variant == "while_quarantined":  # restored, not yet resumed: it is a dialog all the same
        phone.wait("call.restored")
        peer.cue("BYE", call_id)
    if env.variant == "given_up":  # the peer has forgotten the call by the time we ask
        phone.wait("call.restored")
        peer.kill9()
        peer = env.sipp("no_such_call.xml", name="peer_again")
        phone.send("reinvite")
        phone.wait("call.gone")
    else:
        phone.wait("call.ended", by="remote")
        bye = env.capture.wait("an answer to the BYE", lambda m: m.method == "BYE" and m.status and phone.from_here(m))
        check(bye.status == 200, f"the BYE got {bye.status}")
        check(not [m for m in checks.requests(env.capture, phone, since=phone.killed_at) if m.method != "ACK"],
              "the phone spoke for a call that it had not resumed")
    peer.wait_exit()
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")

    phone.kill9()  # and it does not come back
    phone.start()
    phone.do("calls")
    check(not phone.seen("call.restored"), "the ended call was restored")
    # Where the peer denies the call it is told BYE all the same: a proxy may have said it in its name.
    checks.one_dialog(env.capture, phone, bye_asked=env.variant == "given_up")
    phone.quit()
