"""The call that goes on, and who is no part of it."""

import random
import socket

from lib import checks, story
from lib.waiting import check


def a_call(env, **arguments):
    phone = env.phone(audio="tone:440", **arguments).start()
    peer = env.sipp("peer_called.xml")
    return phone, peer, story.called_peer(env, phone, peer)


def untouched(env, phone, peer, call_id):
    """Still there, still the same dialog, still good for everything, over a kill too."""
    check(phone.process.running(), "the phone is dead")
    phone.send("info 1 hello")
    phone.wait("ok", command="info 1 hello")  # past the errors of what was typed for the strangers' calls
    story.kill_and_resume(env, phone, call_id)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id, stranger="127.0.0.66")
    phone.quit()


class Stranger:
    def __init__(self, address="127.0.0.66"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))

    def send(self, data, to):
        self.socket.sendto(data, to)

    def answer(self, invite, status, method, to, tag="", cseq=None, more=""):
        fields = "".join(f"{name}: {invite.get(name)}\r\n" for name in ("Via", "From", "Call-ID"))
        self.send((f"SIP/2.0 {status} X\r\n{fields}To: {invite.get('To')}{tag}\r\nCSeq: {cseq or invite.cseq} {method}\r\n"
                   f"Contact: <sip:eve@127.0.0.66>\r\n{more}Content-Length: 0\r\n\r\n").encode(), to)

    def take_part(self, env, phone, incoming):
        """ACKs the 200 that its call has got, is hung up on, and answers the BYE."""
        here, call_id = (phone.address, phone.port), incoming["call_id"]
        ok = env.capture.wait("a 200", lambda m: m.call_id == call_id and m.method == "INVITE" and m.status == 200)
        self.send(request("ACK", call_id).replace(b"To: <sip:alice@127.0.0.1>", b"To: " + ok.get("to").encode()), here)
        phone.wait("call.established", call=incoming["call"])
        phone.send(f"bye {incoming['call']}")
        bye = env.capture.wait("its BYE", lambda m: m.call_id == call_id and m.method == "BYE" and m.is_request)
        self.send("\r\n".join(["SIP/2.0 200 OK", *(f"{name}: {bye.get(name)}" for name in
                                                   ("Via", "From", "To", "Call-ID", "CSeq")), "", ""]).encode(), here)
        phone.wait("call.ended", call=incoming["call"])


def request(method="OPTIONS", call_id="x", sdp=b"", headers=""):
    return (f"{method} sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.66:5060;rport;branch=z9hG4bK{random.random()}\r\n"
            f"From: <sip:eve@127.0.0.66>;tag=eve\r\nTo: <sip:alice@127.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:eve@127.0.0.66>\r\n{headers}"
            + (f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n" if sdp
               else "Content-Length: 0\r\n\r\n")).encode() + sdp
