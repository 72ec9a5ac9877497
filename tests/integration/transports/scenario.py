"""The same over TCP and over IPv6. A TCP connection dies with the phone; the dialog does not.
sipp, called over TCP, cannot answer on another connection than the first, hence baresip there."""

from lib import checks, story
from lib.waiting import check

VARIANTS = ["ipv6_caller", "ipv6_callee", "tcp_caller", "tcp_callee"]


def run(env):
    {"ipv6": ipv6, "tcp": tcp}[env.variant.split("_")[0]](env, env.variant.split("_")[1])


def ipv6(env, role):
    for address in ("fd00::1", "fd00::2"):
        env.add_address(address)
    phone = env.phone(address="fd00::1", audio="tone:440").start()
    if role == "caller":
        peer = env.sipp("peer_called.xml", address="fd00::2")
        call_id = story.called_peer(env, phone, peer)
    else:
        peer, call_id = story.calling_peer(env, phone, address="fd00::2")
    story.kill_and_resume(env, phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)
    phone.quit()


def tcp(env, role):
    env.pair("192.0.2.1", "192.0.2.2")
    phone = env.phone(address="192.0.2.2", transport="tcp").start()
    peer = env.baresip(transport="tcp")
    if role == "caller":
        story.called_peer(env, phone, peer)
    else:
        peer.command("dial", phone.uri)
        story.answer(phone)
    story.kill_and_resume(env, phone)
    story.use(env, phone, info="5")  # baresip takes digits only
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    sent = checks.one_dialog(env.capture, phone, bye_asked=True)
    check({m.transport for m in sent} == {"tcp"}, f"not all over TCP: {[str(m) for m in sent if m.transport != 'tcp']}")
    phone.quit()
