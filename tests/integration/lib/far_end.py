"""A far end that says what the test tells it to, in the order in which it does: sipp has its own."""

import re
import select
import socket
import time

from . import story
from .sip import Message
from .waiting import Failure


class FarEnd:
    """One UDP socket, and TCP connections if it takes them; an answer goes where its request came from. What has come and was
    not asked for yet is kept."""

    def __init__(self, env, address="127.0.0.2", port=5060, tcp=False):
        self.address, self.port = address, port
        self.uri = f"sip:far@{address}:{port}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.listener = socket.create_server((address, port)) if tcp else None
        self.streams = {}  # what of each connection is no whole message yet
        self.came = []
        self.to = None  # where the phone's last message came from
        self.cseq = 100
        env.at_end(self.close)

    def close(self):
        for one in [self.socket, *self.streams, *([self.listener] if self.listener else [])]:
            one.close()

    def read(self, seconds):
        """Takes in what comes within that time."""
        end = time.monotonic() + seconds
        every = [self.socket, *([self.listener] if self.listener else [])]
        while ready := select.select([*every, *self.streams], [], [], max(0, end - time.monotonic()))[0]:
            for one in ready:
                if one is self.socket:
                    data, self.to = one.recvfrom(65535)
                    self.came += [self.message(data, "udp", None)] if data.strip() else []
                elif one is self.listener:
                    self.streams[one.accept()[0]] = b""
                else:
                    self.read_stream(one)

    def read_stream(self, connection):
        data = connection.recv(65535)
        if not data:
            del self.streams[connection]
            return
        rest = self.streams[connection] + data
        while (head := rest.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", rest[:head])
            end = head + 4 + int(length[1])
            if len(rest) < end:
                break
            self.came.append(self.message(rest[:end], "tcp", connection))
            rest = rest[end:]
        self.streams[connection] = rest

    def message(self, data, transport, connection):
        message = Message(data, time.time(), transport, self.to, (self.address, self.port))
        message.connection = connection
        return message

    def take(self, what, deadline_s=5):
        """The first message that is such a request (a method) or for which `what` is true; those before it stay."""
        fits = what if callable(what) else lambda m: m.is_request and m.method == what
        end = time.monotonic() + deadline_s
        while True:
            for number, message in enumerate(self.came):
                if fits(message):
                    return self.came.pop(number)
            if time.monotonic() >= end:
                raise Failure(f"no {what} within {deadline_s:g} s, but {self.came}")
            self.read(0.01)

    def sdp(self):
        return (f"v=0\r\no=far 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
                "m=audio 16000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")

    def answer(self, request, status, tag="far", sdp=False, more=""):
        lines = [f"SIP/2.0 {status} X", *(f"Via: {via}" for via in request.all("via")), f"From: {request.get('from')}",
                 f"To: {request.get('to')}" + ("" if request.tag("to") else f";tag={tag}"),
                 f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}", f"Contact: <{self.uri}>"]
        self.send(lines, more, self.sdp() if sdp else "", request.connection)

    def request(self, method, dialog, tag="far", cseq=None):
        """In the dialog of a request of the phone's."""
        self.cseq += 1
        ours = re.sub(r";tag=.*", "", dialog.get("to")) + f";tag={tag}"
        number = self.cseq if cseq is None else cseq
        self.send([f"{method} {dialog.get('contact').strip('<>')} SIP/2.0",
                   f"Via: SIP/2.0/UDP {self.address}:{self.port};rport;branch=z9hG4bKfar{self.cseq}", "Max-Forwards: 70",
                   f"From: {ours}", f"To: {dialog.get('from')}", f"Call-ID: {dialog.get('call-id')}", f"CSeq: {number} {method}",
                   f"Contact: <{self.uri}>"], "", self.sdp() if method == "INVITE" else "")
        return number

    def send(self, lines, more, body, connection=None):
        kind = ["Content-Type: application/sdp"] if body else []
        head = "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}"]) + "\r\n" + more + "\r\n"
        if connection is not None:
            connection.sendall((head + body).encode())
        else:
            self.socket.sendto((head + body).encode(), self.to)

    def called(self, env, phone, number=1, more=""):
        """The phone calls; its INVITE, answered and acknowledged."""
        phone.send(f"call {self.uri}")
        invite = self.take("INVITE")
        self.answer(invite, 200, sdp=True, more=more)
        phone.wait("call.established", call=number)
        self.take("ACK")
        story.settled(phone, number)
        return invite
