"""Requests of more than 1,300 bytes to a peer that takes no TCP connection arrive over UDP (RFC 3261 section 18.1.1), each ACK
and CANCEL among them. Where one has been taken, they arrive there."""

from lib.far_end import FarEnd
from lib.waiting import check

VARIANTS = ["call", "call_resumed", "refused", "canceled", "no_tcp_here", "takes_tcp"]
LARGE = 1300


def run(env):
    phone = env.phone(transport="udp" if env.variant == "no_tcp_here" else None).start()
    far = FarEnd(env, tcp=env.variant == "takes_tcp")
    if env.variant in ("refused", "canceled"):
        far.uri += ";far=" + "x" * 700
        not_a_call(env, phone, far)
    else:
        a_call(env, phone, far)
    sent = [m for m in env.capture.sync().messages(phone.from_here) if m.is_request]
    if env.variant == "takes_tcp":
        # The first ACK finds no connection yet. An INFO is what makes one.
        later = sent[[m.method for m in sent].index("INFO"):]
        check({m.transport for m in later} == {"tcp"}, f"not all in the connection: {later}")
    else:
        check({m.transport for m in sent} == {"udp"}, f"not all over UDP: {sent}")
    check({"ACK"} <= {m.method for m in sent if len(m.data) > LARGE}, f"no ACK is large: {sent}")
    phone.quit()


def a_call(env, phone, far):
    routes = "".join(f"Record-Route: <sip:{far.address}:{far.port};lr;hop={number}{'x' * 200}>\r\n" for number in range(6))
    far.called(env, phone, more=routes)
    if env.variant == "call_resumed":
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
        phone.send("reinvite 1")
        far.answer(far.take("INVITE"), 200, sdp=True)
        far.take("ACK")
        phone.wait("call.resumed")
    phone.send("info 1 hello")
    far.answer(far.take("INFO"), 200)
    phone.send("hold 1")
    far.answer(far.take("INVITE"), 200, sdp=True)
    far.take("ACK")
    phone.wait("call.held")
    phone.send("bye 1")
    far.answer(far.take("BYE"), 200)
    phone.wait("call.ended", by="local")


def not_a_call(env, phone, far):
    phone.send(f"call {far.uri}")
    invite = far.take("INVITE")
    if env.variant == "canceled":
        far.answer(invite, 180)
        phone.wait("call.progress")
        phone.send("bye 1")
        far.answer(far.take("CANCEL"), 200)
    far.answer(invite, 487 if env.variant == "canceled" else 486)
    check(far.take("ACK").branch == invite.branch, "the ACK to a refusal has the INVITE's branch")
    phone.wait("call.failed|call.ended")
