"""Descriptions as other programs write them, in offers and in answers: each stream gets its line, what is not needed is not
looked at, of a multipart body the description counts, packets are no longer than the peer allows. The call lives on over a
kill with every one of them: the record has the description byte for byte, and the refresh repeats ours."""

import re
import socket
import threading
import time

from lib import checks, sip
from lib.waiting import check, until

OFF_FIRST = "m=audio 0 RTP/AVP 0\r\nm=audio 7000 RTP/AVP 0 8\r\n"
TWICE = "m=audio 7000 RTP/AVP 8 121\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:121 PCMA/8000\r\na=gpmd:121 vbd=yes\r\n"
NO_CLOCK = "m=audio 7000 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\na=\r\n"
ODD_VIDEO = "m=audio 7000 RTP/AVP 0\r\nm=video 7002 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n"
SHORT = "m=audio 7000 RTP/AVP 0\r\na=ptime:20\r\na=maxptime:10\r\n"
PLAIN = "m=audio 7000 RTP/AVP 0\r\n"

# What comes, and the m= lines of our answer to it.
OFFERS = {
    "off_first": (OFF_FIRST, ["audio 0 RTP/AVP 0", "audio PORT RTP/AVP 0 8"]),
    "off_last": ("m=audio 7000 RTP/AVP 0 8\r\nm=audio 0 RTP/AVP 0\r\n", ["audio PORT RTP/AVP 0 8", "audio 0 RTP/AVP 0"]),
    "twice": (TWICE, ["audio PORT RTP/AVP 8"]),
    "no_clock": (NO_CLOCK, ["audio PORT RTP/AVP 0"]),
    "odd_video": (ODD_VIDEO, ["audio PORT RTP/AVP 0", "video 0 RTP/AVP 31"]),
    "short": (SHORT, ["audio PORT RTP/AVP 0"]),
    "multipart": (PLAIN, ["audio PORT RTP/AVP 0"]),
}
ANSWERS = {"twice": TWICE, "no_clock": NO_CLOCK, "short": SHORT, "multipart": PLAIN}
VARIANTS = [f"offer_{name}" for name in OFFERS] + [f"answer_{name}" for name in ANSWERS] + ["ipv6", "must_be_understood"]


def run(env):
    role, _, name = env.variant.partition("_")
    if env.variant == "ipv6":
        refused(env, 488, PLAIN, connection="IN IP6 ::1")
    elif env.variant == "must_be_understood":
        refused(env, 415, PLAIN, name="required")
    elif role == "offer":
        offered(env, name, *OFFERS[name])
    else:
        answered(env, name, ANSWERS[name])


def refused(env, status, media, **more):
    phone = env.phone().start(extra=["--auto-answer"])
    far = Far(env, media, **more)
    far.invite(phone)
    answer = env.capture.wait("the refusal", lambda m: m.method == "INVITE" and not m.is_request and m.status >= 200)
    check(answer.status == status, f"{answer}, not {status}")
    phone.quit()


def offered(env, name, media, lines):
    phone = env.phone(audio="tone:440").start(extra=["--auto-answer"])
    far = Far(env, media, name)
    far.invite(phone)
    phone.wait("call.established")
    answer = env.capture.wait("the 200", lambda m: m.method == "INVITE" and m.status == 200)
    ours = re.findall(r"m=(.*)\r\n", answer.sdp.decode())
    port = phone.record()["media"]["local"]["port"]
    check(ours == [line.replace("PORT", str(port)) for line in lines], f"the answer has {ours}")
    lives(env, phone, far, name)


def answered(env, name, media):
    phone = env.phone(audio="tone:440").start()
    far = Far(env, media, name)
    phone.send(f"call {far.uri}")
    phone.wait("call.established", 8)
    lives(env, phone, far, name)


def lives(env, phone, far, name):
    """Sound, a kill, a refresh that repeats our description, sound, the peer's own refresh, BYE."""
    sounds(env, name)
    check(phone.record()["remote_sdp"] == far.description(), "the record has another description than the peer's")
    until(lambda: phone.record()["in_flight"]["cseq"] == 0 and phone.record()["in_flight"]["invite"] == "", 5, "the ACK")
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite")
    phone.wait("call.resumed", 8)
    checks.same_refresh(env.capture, phone, phone.killed_at)
    sounds(env, name, phone.killed_at)
    since = time.time()
    far.invite(phone)
    env.capture.wait("the 200 to its refresh", lambda m: m.method == "INVITE" and m.status == 200 and phone.from_here(m), since=since)
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def sounds(env, name, since=0.0):
    here = ("127.0.0.2", 7000)
    env.capture.wait_rtp("the phone's sound", lambda r: r.destination == here, 15, 8, since)
    if name == "short":
        check(all(r.size <= 12 + 80 for r in env.capture.rtp if r.destination == here), "packets of more than 10 ms")


class Far:
    """A peer that says what it is told to: it offers its description in each INVITE and answers each offer with it."""

    def __init__(self, env, media, name="", connection="IN IP4 127.0.0.2"):
        self.media, self.name, self.connection = media, name, connection
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", 5060))
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # so that nothing is refused by ICMP
        self.sound.bind(("127.0.0.2", 7000))
        self.uri, self.cseq, self.version = "sip:far@127.0.0.2", 1, 1
        self.me, self.them, self.call_id, self.target = f"<{self.uri}>;tag=far", None, "far-1", None
        env.at_end(self.socket.close)
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
        self.request(phone, "INVITE", self.cseq, self.body())

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
                          f"CSeq: {message.cseq} ACK\r\nContent-Length: 0\r\n\r\n", source)

    def answer(self, message, source):
        own = message.get("To") + ("" if ";tag=" in message.get("To") else ";tag=far")
        if message.method == "INVITE":
            self.me, self.them, self.call_id = own, message.get("From"), message.get("Call-ID")
            self.target = re.search(r"<([^>]*)>", message.get("Contact")).group(1)
        fields = "".join(f"{name}: {message.get(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
        self.send(f"SIP/2.0 200 OK\r\n{fields}To: {own}\r\nContact: <{self.uri}>\r\n"
                  + (self.body() if message.method == "INVITE" else "Content-Length: 0\r\n\r\n"), source)
