"""The user hangs up while a re-INVITE of ours has no answer yet. The stack may give the dialog up with that; the BYE is said
all the same, and no ACK reaches the peer for an INVITE that it has never seen."""

from lib import checks, story
from lib.waiting import until

CALLS = 20


def said(env, phone, call_id, method):
    """The CSeqs of these requests at the peer."""
    return {m.cseq for m in env.capture.sync().messages(phone.from_here)
            if m.call_id == call_id and m.method == method and m.is_request}


def run(env):
    env.add_address("192.0.2.1")  # baresip 1.1 takes the first address on lo for its own
    env.add_address("192.0.2.2")
    phone = env.phone(address="192.0.2.2").start()
    peer = env.baresip()
    for _ in range(CALLS):
        call_id = story.called_peer(env, phone, peer)
        phone.process.freeze()
        phone.send("hold")
        phone.send("bye")
        phone.process.thaw()
        phone.wait("call.ended", 10, by="local")
        peer.wait_event("CALL_CLOSED")
        until(lambda c=call_id: said(env, phone, c, "INVITE") == said(env, phone, c, "ACK"), 3,
              lambda: "an ACK for each INVITE and no other\n" + env.capture.exchange())
        checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id)
    phone.quit()
