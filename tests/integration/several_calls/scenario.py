"""Four calls, two made and two answered, and one of the peers has lost its own: three come back under their numbers,
the fourth is said to be gone, and it harms none of the others. Each is recorded into a file of its own."""

import os

from lib import checks, story
from lib.waiting import check, until


def run(env):
    phone = env.phone(audio=f"tone:440,file:{env.path('call-%c.wav')}").start()
    peers, ids = {}, {}
    for number in (1, 2):
        peer = env.sipp("peer_called.xml", name=f"peer{number}", address=f"127.0.0.{10 + number}", rtp_port=16000 + 10 * number)
        ids[number] = story.called_peer(env, phone, peer)
        peers[number] = peer
    for number in (3, 4):
        address = f"127.0.0.{10 + number}"
        peers[number] = env.sipp("peer_calling.xml", name=f"peer{number}", address=address, rtp_port=16000 + 10 * number,
                                 remote="127.0.0.1:5060", keys={"phone": "127.0.0.1:5060"})
        story.answer(phone, number)
        ids[number] = env.capture.wait("the ACK", lambda m, a=address: m.method == "ACK" and m.source[0] == a).call_id

    phone.kill9()
    peers[2].kill9()
    env.sipp("no_such_call.xml", name="peer2_again", address=peers[2].address, rtp_port=16020)
    phone.start()
    for number in (1, 2, 3, 4):
        phone.wait("call.restored", call=number)
    check("481" in phone.fails("reinvite all")["text"], "the failed command does not say why")
    for number in (1, 3, 4):
        phone.wait("call.resumed", call=number)
    phone.wait("call.gone", call=2)
    for number, verdict in ((1, "survived"), (2, "lost"), (3, "survived"), (4, "survived")):
        entry = phone.wait("ledger", call=number)
        if number != 2:
            check(entry["verdict"] == verdict, f"call {number}: {entry}")
    until(lambda: not os.path.exists(phone.record_path(2)), 2, "the record of call 2 to be removed")

    for number in (1, 3, 4):
        checks.same_refresh(env.capture, phone, phone.killed_at, ids[number])
        phone.do(f"info {number} hello")
    phone.send("bye all")
    for number in (1, 3, 4):
        phone.wait("call.ended", call=number, by="local")
        peers[number].wait_exit()
        checks.one_dialog(env.capture, phone, bye_asked=True, call_id=ids[number])
    phone.quit()
    check(not phone.seen("media.trouble"), "two calls recorded into one file")
    for number in (1, 2, 3, 4):
        check(os.path.getsize(env.path(f"call-{number}.wav")) > 44, f"call {number} has no recording of its own")
