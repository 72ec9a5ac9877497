"""A peer in the test's own hands: its descriptions and its sound are what the test wants them to be."""

import re
import socket
import struct
import threading
import time

from . import sip


class Far:
    """A peer that says what it is told to: it offers its description in each INVITE and answers each offer with it."""

    def __init__(self, env, media, name="", connection="IN IP4 127.0.0.2", offers=True):
        self.media, self.name, self.connection, self.offers = media, name, connection, offers
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", 5060))
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # so that nothing is refused by ICMP
        self.sound.bind(("127.0.0.2", 7000))
        self.uri, self.cseq, self.version = "sip:far@127.0.0.2", 1, 1
        self.me, self.them, self.call_id, self.target = f"<{self.uri}>;tag=far", None, "far-1", None
        env.at_end(self.socket.close)
        env.at_end(self.sound.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def description(self):
        return (f"v=0\r\no=far 77 {self.version} IN IP4 127.0.0.2\r\ns=-\r\nc={self.connection}\r\nt=0 0\r\n" + self.media)

    def body(self):
        if self.name not in ("multipart", "required"):
            return f"Content-Type: application/sdp\r\nContent-Length: {len(self.description())}\r\n\r\n{self.description()}"
        handling = "required" if self.name == "required" else "optional"
        parts = ("--b1\r\nContent-Type: application/isup; version=itu-t92+\r\n"
                 f"Content-Disposition: signal; handling={handling}\r\n\r\n\x01\x02\r\n"
                 "--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=required\r\n\r\n"
                 f"{self.description()}\r\n--b1--\r\n")
        return ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=b1\r\n"
                f"Content-Length: {len(parts)}\r\n\r\n{parts}")

    def invite(self, phone):
        self.cseq += 1
        self.them = self.them or f"<sip:{phone.address}:{phone.port}>"
        self.target = self.target or f"sip:{phone.address}:{phone.port}"
        self.request(phone, "INVITE", self.cseq, self.body() if self.offers else "Content-Length: 0\r\n\r\n")

    def request(self, phone, method, cseq, body="Content-Length: 0\r\n\r\n"):
        self.there = (phone.address, phone.port)
        self.send(f"{method} {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKfar{method}{cseq}\r\n"
                  f"Max-Forwards: 70\r\nFrom: {self.me}\r\nTo: {self.them}\r\nCall-ID: {self.call_id}\r\n"
                  f"CSeq: {cseq} {method}\r\nContact: <{self.uri}>\r\n{body}", self.there)

    def send(self, text, to):
        self.socket.sendto(text.encode("latin1"), to)

    def serve(self):
        while True:
            try:
                data, source = self.socket.recvfrom(65535)
            except OSError:
                return
            message = sip.Message(data, time.time(), "udp", source, None)
            if message.is_request and message.method != "ACK":
                self.answer(message, source)
            elif not message.is_request and message.method == "INVITE" and message.status == 200:
                self.them = message.get("To")
                self.target = re.search(r"<([^>]*)>", message.get("Contact")).group(1)
                self.send(f"ACK {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKack{message.cseq}\r\n"
                          f"Max-Forwards: 70\r\nFrom: {self.me}\r\nTo: {self.them}\r\nCall-ID: {self.call_id}\r\n"
                          f"CSeq: {message.cseq} ACK\r\n" + ("Content-Length: 0\r\n\r\n" if self.offers else self.body()), source)

    def answer(self, message, source):
        own = message.get("To") + ("" if ";tag=" in message.get("To") else ";tag=far")
        if message.method == "INVITE":
            self.me, self.them, self.call_id = own, message.get("From"), message.get("Call-ID")
            self.target = re.search(r"<([^>]*)>", message.get("Contact")).group(1)
        fields = "".join(f"{name}: {message.get(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
        self.send(f"SIP/2.0 200 OK\r\n{fields}To: {own}\r\nContact: <{self.uri}>\r\n"
                  + (self.body() if message.method == "INVITE" else "Content-Length: 0\r\n\r\n"), source)


class Talker:
    """Sends RTP every 20 ms from an address of its choice, until it is stopped."""

    def __init__(self, env, source, target, payload_type=0, octets=b"\x20\xa0" * 80, ssrc=7, sequence=1):
        self.socket = source  # an address, or a socket that is bound
        if isinstance(source, tuple):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(source)
        self.target, self.payload_type, self.octets, self.ssrc, self.sequence = target, payload_type, octets, ssrc, sequence
        self.talking = True
        env.at_end(self.stop)
        threading.Thread(target=self.talk, daemon=True).start()

    def talk(self):
        due = time.monotonic()
        while self.talking:
            header = struct.pack("!BBHII", 0x80, self.payload_type, self.sequence & 0xFFFF, self.sequence * 160, self.ssrc)
            try:
                self.socket.sendto(header + self.octets, self.target)
            except OSError:
                pass  # nobody listens between a kill and the restart
            self.sequence += 1
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self):
        self.talking = False
