"""Through Kamailio, which record-routes the initial INVITE only: the 200 to a re-INVITE carries no Record-Route, so the
route set must come out of the record, and every request of the dialog must still go through the proxy."""

from lib import checks, story
from lib.waiting import check

VARIANTS = ["caller_udp", "callee_udp", "caller_tcp", "callee_tcp"]


def run(env):
    role, transport = env.variant.split("_")
    env.pair("192.0.2.2", "192.0.2.3")  # its TCP connections come from an unbound socket
    proxy = env.kamailio(address="192.0.2.3", tcp=transport == "tcp")
    parameter = ";transport=tcp" if transport == "tcp" else ""
    phone = env.phone(address="192.0.2.2", transport=transport,
                      options=["--outbound-proxy", proxy.uri + parameter] if role == "caller" else [])
    phone.start()
    if role == "caller":
        peer = env.sipp("peer_called.xml")
        call_id = story.called_peer(env, phone, peer, f"call {peer.uri};transport=udp")
    else:
        peer, call_id = story.calling_peer(env, phone, remote=f"{proxy.address}:{proxy.port}",
                                           keys={"phone": f"192.0.2.2:5060{parameter}"})
    invite = story.kill_and_resume(env, phone)
    check(invite.get("route") is not None, "the re-INVITE has no Route")
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    sent = checks.one_dialog(env.capture, phone, bye_asked=True)
    check(all(m.destination[0] == proxy.address for m in sent), "a request went past the proxy")
    check({m.transport for m in sent} == {transport}, "a request changed the transport")
    phone.quit()
