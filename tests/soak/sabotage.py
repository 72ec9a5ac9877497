"""What the soak must notice, done on purpose: each function does one thing and names the kind that has to be counted."""

import os
import re
import shutil
import signal
import socket
import struct

from calls import TALKING
from lib.waiting import until


def while_dead(soak, act):
    """The keeper is stopped, so that the phone stays dead until `act` is done."""
    keeper = soak.victim.popen
    keeper.send_signal(signal.SIGSTOP)
    soak.victim.kill("broken")
    dead = soak.victim.killed
    until(lambda: open(f"/proc/{dead}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] == "Z", 5, "the phone to die")
    act()
    keeper.send_signal(signal.SIGCONT)
    soak.victim.new_pid()


def talking(soak):
    def one():
        with soak.lock:
            soak.calls.tick()
            return next((life for life in soak.calls.lives() if life.state == TALKING and life.number in numbers()), None)
    def numbers():
        return soak.victim.files()[0]
    return until(one, 10, "a call that talks")


def record(soak):
    """A record is removed between kill and restart."""
    life = talking(soak)
    number = next(n for n, call_id in soak.victim.files()[0].items() if call_id == life.call_id)
    while_dead(soak, lambda: os.remove(os.path.join(soak.victim.state, "dialogs", f"{number}.json")))
    return "lost"


def ghost(soak):
    """A record is there twice: the second is of a call that nobody has."""
    life = talking(soak)
    dialogs = os.path.join(soak.victim.state, "dialogs")
    number = next(n for n, call_id in soak.victim.files()[0].items() if call_id == life.call_id)
    def act():
        with open(os.path.join(dialogs, f"{number}.json"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace(life.call_id, life.call_id + "x").replace(f'"number":{number},', '"number":777,')
        with open(os.path.join(dialogs, "777.json"), "w", encoding="utf-8") as file:
            file.write(text)
    while_dead(soak, act)
    return "lost ghost"


def forge(packet, protocol, payload):
    """From where `packet` of the phone came, to where it went."""
    ip = bytearray(packet[:20])
    ip[0], ip[9] = 0x45, protocol
    struct.pack_into(">H", ip, 2, 20 + len(payload))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(bytes(ip) + payload, (socket.inet_ntoa(packet[16:20]), 0))


def replay(packet, change=lambda data: data):
    """A packet of the phone, once more, to a port where nobody listens."""
    header = (packet[0] & 15) * 4
    data = change(packet[header + 8:])
    source, = struct.unpack_from(">H", packet, header)
    forge(packet, socket.IPPROTO_UDP, struct.pack(">HHHH", source, 9, 8 + len(data), 0) + data)


def request(soak):
    """A re-INVITE of the phone, as a packet."""
    talking(soak)
    return until(lambda: soak.wire.last_request, 5, "a request of the phone")


def with_new_branch(data):
    return re.sub(rb";branch=z9hG4bK[^;\r]*", b";branch=z9hG4bKbroken", data, count=1)


def cseq(soak):
    """A request of the phone comes again as another one: same number, new branch."""
    replay(request(soak), with_new_branch)
    return "cseq"


def dialog(soak):
    """A request of the phone comes with another tag."""
    replay(request(soak), lambda data: re.sub(rb"(\r\nFrom:[^\r]*;tag=)", rb"\1broken", with_new_branch(data), count=1))
    return "dialog"


def stranger(soak):
    """A request of the phone belongs to no call."""
    replay(request(soak), lambda data: re.sub(rb"(\r\nCall-ID: *)", rb"\1broken", data, count=1).replace(b"INVITE", b"INFO"))
    return "stranger"


def refused(soak):
    """An ICMP message says that the SIP port of the phone is closed."""
    packet = request(soak)
    header = (packet[0] & 15) * 4
    cause = bytearray(packet[:header + 8])
    cause[12:20] = packet[16:20] + packet[12:16]                         # what the peer had sent
    cause[header:header + 4] = packet[header + 2:header + 4] + packet[header:header + 2]
    forge(packet, socket.IPPROTO_ICMP, struct.pack(">BBHI", 3, 3, 0, 0) + cause)
    return "refused"


def rtp(soak):
    """An RTP packet comes again."""
    talking(soak)
    replay(until(lambda: soak.wire.last_rtp, 5, "an RTP packet"))
    return "rtp"


def unasked(soak):
    """The phone hangs up, and the driver knows nothing of it."""
    life = talking(soak)
    soak.victim.send(f"bye {life.number}")
    return "lost"


def file(soak):
    """A file that nobody needs."""
    shutil.copy(os.path.join(soak.victim.state, "epoch"), os.path.join(soak.victim.state, "dialogs", "5.json.corrupt"))
    return "leak"


def crash(soak):
    """The phone dies of something else than SIGKILL."""
    os.kill(soak.victim.pid(), signal.SIGSEGV)
    return "crash"


def peer(soak):
    """A peer goes away without a word."""
    talking(soak).peer.process.kill9()
    return "lost"


ALL = {f.__name__: f for f in (record, ghost, cseq, dialog, stranger, refused, rtp, unasked, file, crash, peer)}
