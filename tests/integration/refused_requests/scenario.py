"""A request of the phone's within a call that is refused leaves the call as it was, whatever the answer: it is said, the
audio goes on, and the same can be asked again. 481 and 408 end the call, with BYE, and a BYE ends it whatever comes back."""

import collections
import os
import re
import socket
import struct
import threading
import time

from lib import checks, sip, story
from lib.waiting import check, until

REFUSALS = [302, 305, 380, 400, 401, 403, 404, 405, 406, 407, 410, 415, 416, 420, 480, 482, 483, 484, 485, 486, 487, 488,
            493, 500, 501, 502, 503, 504, 513, 580, 600, 603, 604, 606]
ENDS = [481, 408]
VARIANTS = ["hold", "reinvite", "info", "options", "ends", "bye", "credentials", "update", "glare", "resumed", "kept",
            "cannot_be_sent", "refresh", "proxy_restarts"]
SLOW = ["refresh"]
CHALLENGE = 'WWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5\r\n'


class Peer:
    """Is called, and answers each request with the status that the test has put down for its method, else with 200."""

    def __init__(self, env, extra=""):
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sound.bind(("127.0.0.2", 7000))
        self.sound.settimeout(2)
        self.refusals, self.said, self.seen = collections.defaultdict(list), {}, []
        self.extra, self.cseq, self.phone = extra, 10, None
        self.uri = "sip:peer@127.0.0.2"
        env.at_end(self.sound.close)
        env.at_end(self.close)
        self.listen()

    def listen(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", 5060))
        self.socket.settimeout(0.1)
        self.listening, self.thread = True, threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listening = False
        self.thread.join()
        self.socket.close()

    def sdp(self, offer=b""):
        turned = {b"a=sendonly": "recvonly", b"a=recvonly": "sendonly", b"a=inactive": "inactive"}
        way = next((w for line, w in turned.items() if line in offer), "sendrecv")
        text = (f"v=0\r\no=peer 77 {len(self.said) + self.cseq} IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
                f"m=audio 7000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={way}\r\n")
        return f"Content-Type: application/sdp\r\nContent-Length: {len(text)}\r\n\r\n{text}"

    def serve(self):
        while self.listening:
            try:
                data, source = self.socket.recvfrom(65535)
            except OSError:  # nothing yet, or ICMP for an answer of ours
                continue
            message = sip.Message(data, time.time(), "udp", source, None)
            self.seen.append(message)
            if message.is_request and message.method != "ACK":
                self.answer(message, source)

    def answer(self, message, source):
        if message.branch not in self.said:  # else it is a retransmission
            tag = "" if ";tag=" in message.get("To") else ";tag=peer"
            if message.method == "INVITE":
                self.me, self.them = message.get("To") + tag, message.get("From")
                self.call_id, self.phone = message.call_id, source
                self.target = re.search(r"<([^>]*)>", message.get("Contact")).group(1)
            status, more = self.refusals[message.method].pop(0) if self.refusals[message.method] else (200, "")
            body = self.sdp(message.body) if status == 200 and message.method == "INVITE" else "Content-Length: 0\r\n\r\n"
            fields = "".join(f"Via: {v}\r\n" for v in message.all("via"))
            fields += "".join(f"{name}: {message.get(name)}\r\n" for name in ("From", "Call-ID", "CSeq"))
            self.said[message.branch] = (f"SIP/2.0 {status} No Reason\r\n{fields}To: {message.get('To')}{tag}\r\n"
                                         f"Contact: <{self.uri}>\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n{more}"
                                         + (self.extra if message.method == "INVITE" else "") + body)
        self.socket.sendto(self.said[message.branch].encode(), source)

    def will_say(self, method, status, more=""):
        self.refusals[method].append((status, more or (CHALLENGE if status in (401, 407) else "")))

    def ask(self, method, body="Content-Length: 0\r\n\r\n"):
        self.cseq += 1
        self.socket.sendto((f"{method} {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKp{method}{self.cseq}\r\n"
                            f"Max-Forwards: 70\r\nFrom: {self.me}\r\nTo: {self.them}\r\nCall-ID: {self.call_id}\r\n"
                            f"CSeq: {self.cseq} {method}\r\nContact: <{self.uri}>\r\n{body}").encode(), self.phone)
        return self.cseq

    def heard(self, method, status=None):
        return [m for m in list(self.seen) if m.method == method and (m.status == status if status else m.is_request)]

    def hears_audio(self):
        """Packets that were not in the socket before, with rising numbers."""
        self.sound.setblocking(False)
        try:
            while True:
                self.sound.recv(2000)
        except BlockingIOError:
            pass
        self.sound.settimeout(2)
        numbers = [struct.unpack("!H", self.sound.recv(2000)[2:4])[0] for _ in range(5)]
        check(numbers == sorted(numbers) or max(numbers) > 60000, f"RTP numbers {numbers}")


def run(env):
    {"ends": ends, "bye": bye, "proxy_restarts": proxy_restarts}.get(env.variant, one_call)(env)


def call(env, phone, peer, number=1):
    phone.do(f"call {peer.uri}")
    story.settled(phone, number)


def one_call(env):
    kept = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--"] if env.variant == "kept" else ()
    timer = 90 if env.variant == "refresh" else 1800
    phone = env.phone(audio="tone:440", options=["--session-expires", timer], launcher=kept,
                      resume="auto" if kept else "ask").start()
    peer = Peer(env, f"Session-Expires: {timer};refresher=uac\r\nRequire: timer\r\n")
    call(env, phone, peer)
    {"hold": hold, "reinvite": reinvite, "info": asks, "options": asks, "credentials": credentials, "update": update,
     "glare": glare, "resumed": resumed, "kept": was_kept, "cannot_be_sent": cannot_be_sent,
     "refresh": refresh}[env.variant](env, phone, peer)
    good_for_all(env, phone, peer)
    phone.do("bye 1")
    phone.wait("call.ended", by="local")
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def good_for_all(env, phone, peer):
    check(not peer.heard("BYE"), "the phone has hung up")
    check(not phone.seen("call.ended"), "the call has ended")
    peer.hears_audio()
    phone.do("hold 1")
    check(b"a=sendonly" in peer.heard("INVITE")[-1].sdp, "the peer was offered no hold")
    phone.do("unhold 1")
    phone.do("info 1 hello")
    phone.do("options 1")
    peer.hears_audio()


def refused(phone, peer, command, method, status, event="call.refused"):
    peer.will_say(method, status)
    phone.fails(command)
    told = phone.wait(event, status=status)
    check(not phone.seen("call.ended"), f"{status} to {method} has ended the call: {told}")
    return told


def hold(_env, phone, peer):
    for status in REFUSALS:
        refused(phone, peer, "hold 1", "INVITE", status)
        check(not phone.record()["hold"]["local"], "the record says that the peer is held")
    phone.do("hold 1")
    for status in REFUSALS:
        refused(phone, peer, "unhold 1", "INVITE", status)
    phone.do("unhold 1")


def reinvite(_env, phone, peer):
    for status in REFUSALS:
        refused(phone, peer, "reinvite 1", "INVITE", status)
    phone.do("reinvite 1")
    told = phone.wait("call.refreshed")
    check(told["allow"] == "INVITE, ACK, BYE, UPDATE" and told["round_trip_ms"] >= 0, f"what came back: {told}")


def asks(env, phone, peer):
    method = env.variant.upper()
    command = "info 1 x" if env.variant == "info" else "options 1"
    for status in REFUSALS:
        refused(phone, peer, command, method, status, "call.requested")
    phone.do(command)
    told = phone.wait("call.requested", status=200)
    check(told["round_trip_ms"] >= 0 and ("allow" in told) == (method == "OPTIONS"), f"what came back: {told}")


def ends(env):
    """What says that the other end has no such call, or does not answer any more."""
    phone = env.phone(audio="tone:440").start()
    peer = Peer(env)
    number = 0
    for command, method in (("hold", "INVITE"), ("reinvite", "INVITE"), ("info", "INFO"), ("options", "OPTIONS")):
        for status in ENDS:
            number += 1
            call(env, phone, peer, number)
            peer.will_say(method, status)
            byes = len(peer.heard("BYE"))
            phone.send(f"{command} {number}" + (" x" if command == "info" else ""))
            told = phone.wait("call.ended", by="refusal", call=number)
            check(told["status"] == status and "duration_ms" in told, f"what is told of the end: {told}")
            check(len(peer.heard("BYE")) == byes + 1, f"{status} to {method}: no BYE")
            until(lambda n=number: not os.path.exists(phone.record_path(n)), 2, "the record to be removed")
    phone.quit()


def bye(env):
    phone = env.phone(audio="tone:440").start()
    peer = Peer(env)
    for number, status in enumerate([200, 401, 403, 404, 407, 408, 481, 500, 503, 603], 1):
        call(env, phone, peer, number)
        peer.hears_audio()
        peer.will_say("BYE", status)
        phone.do(f"bye {number}", 5)
        told = phone.wait("call.ended", by="local", call=number)
        check(told["packets_sent"] > 0 and told["duration_ms"] >= 0 and "packets_lost" in told, f"the account: {told}")
    left = [n for n in os.listdir(os.path.join(phone.state, "dialogs")) if n.endswith(".json")]
    check(not left, f"records are left: {left}")
    phone.quit()


def credentials(_env, phone, peer):
    """Refused for want of credentials; with `key` the user does it again."""
    refused(phone, peer, "hold 1", "INVITE", 401)
    refused(phone, peer, "info 1 x", "INFO", 401, "call.requested")
    phone.send("key test alice secret")
    peer.will_say("INVITE", 401)
    phone.do("hold 1")
    check(peer.heard("INVITE")[-1].get("authorization"), "the second hold has no credentials")
    phone.do("unhold 1")


def update(_env, phone, peer):
    """The peer's offer after a refused one of ours is answered from what was agreed."""
    for status in (488, 503):
        refused(phone, peer, "hold 1", "INVITE", status)
        cseq = peer.ask("UPDATE", peer.sdp())
        until(lambda c=cseq: [m for m in peer.heard("UPDATE", 200) if m.cseq == c], 3, "200 to the UPDATE")
        answer = peer.heard("UPDATE", 200)[-1]
        check(b"m=audio" in answer.sdp and b"a=sendonly" not in answer.sdp, f"the answer: {answer.sdp}")
        phone.wait("call.refreshed")


def glare(_env, phone, peer):
    """Both at once (RFC 3261 section 14.1): asked again by itself."""
    peer.will_say("INVITE", 491)
    phone.do("hold 1")
    phone.do("unhold 1")


def resumed(env, phone, peer):
    """After a kill the peer is offered what was agreed, and refuses that as well."""
    refused(phone, peer, "hold 1", "INVITE", 502)
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    check(b"a=sendonly" not in peer.heard("INVITE")[-1].sdp, "the refused hold was offered again")
    story.acked(env, phone.killed_at)
    for status in REFUSALS[:12]:
        refused(phone, peer, "hold 1", "INVITE", status)
        refused(phone, peer, "options 1", "OPTIONS", status, "call.requested")


def was_kept(env, phone, peer):
    for status in (404, 503, 604):
        refused(phone, peer, "hold 1", "INVITE", status)
        with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
            os.kill(int(file.read()), 9)
        phone.wait("call.resumed", 10)
        refused(phone, peer, "reinvite 1", "INVITE", status)


def cannot_be_sent(_env, phone, peer):
    """Nobody listens there for a while: what is typed fails, and the call is there when the peer is."""
    peer.close()
    for command in ("hold 1", "reinvite 1", "info 1 x", "options 1"):
        phone.fails(command)
    peer.listen()


def refresh(_env, phone, peer):
    """The refresh of the session that the stack begins, refused by a proxy that is being restarted."""
    refused(phone, peer, "hold 1", "INVITE", 488)  # after which the refresh still comes in time
    for status in (503, 502):
        peer.will_say("INVITE", status)
    for status in (503, 502):
        phone.wait("call.refused", 60, status=status)
    phone.wait("call.refreshed", 40)
    check(b"a=sendonly" not in peer.heard("INVITE")[-1].sdp, "the refused hold was offered again")


def proxy_restarts(env):
    """Kamailio goes in mid-call, and comes back knowing of no dialog: what it refuses, and what finds it gone, leaves the call
    as it was, over a kill of the phone too; with a proxy that is itself again all is well."""
    env.pair("192.0.2.2", "192.0.2.3")
    proxy = env.kamailio(address="192.0.2.3")
    phone = env.phone(address="192.0.2.2", audio="tone:440", options=["--outbound-proxy", proxy.uri]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    commands = {"hold 1": "call.refused", "reinvite 1": "call.refused", "info 1 x": "call.requested", "options 1": "call.requested"}
    for status in (404, 483, 503):
        proxy.process.stop()
        for command in commands:
            phone.fails(command)
        proxy = env.kamailio(address="192.0.2.3", name=f"kamailio-{status}", refuses=status)
        for command, event in commands.items():
            phone.fails(command)
            phone.wait(event, status=status, source="peer")
        check(not phone.record()["hold"]["local"], "the record says that the peer is held")
        check(not phone.seen("call.ended"), f"{status} has ended the call: {phone.said()}")
        env.capture.wait_rtp("to the peer", lambda r: r.destination[0] == peer.address, 20, since=time.time())
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite 1")
    phone.wait("call.resuming|call.retrying", 10)
    proxy.process.stop()
    env.kamailio(address="192.0.2.3", name="kamailio-again")
    phone.wait("call.resumed", 40)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id)
    phone.quit()
