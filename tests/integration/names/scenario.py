"""Whatever the name servers do, the phone answers at once; calls by name are made, held, resumed and ended."""

from lib import checks, story
from lib.nameserver import A, NameServer, ResolvConf

VARIANTS = ["answers"]


def run(env):
    server = NameServer(env, {("peer.example", A): ["127.0.0.2"]})
    ResolvConf(env, server.address)
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer, "call sip:bob@peer.example")
    story.use(env, phone, peer, call_id)
    story.kill_and_resume(env, phone, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
