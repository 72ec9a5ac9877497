"""What went over the wire of a scenario: SIP messages and RTP headers, live and afterwards."""

import os
import socket
import struct
import time
from dataclasses import dataclass

from . import pcap, sip
from .process import Process
from .waiting import Failure, until


@dataclass
class Rtp:
    time: float
    source: tuple
    destination: tuple
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    size: int


class Capture:
    def __init__(self, env):
        self.path = os.path.join(env.directory, "capture.pcap")
        self.process = Process("tcpdump", ["tcpdump", "-i", "lo", "-w", self.path, "-U", "-s", "66000", "-n",
                                           "--immediate-mode", "-B", "65536", *(["-Z", "root"] if os.geteuid() == 0 else []),
                                           "udp or tcp or icmp or icmp6"], env.directory)
        env.at_end(self.stop)
        self.process.wait_log("listening on")
        self.reader = pcap.Reader(self.path)
        self.marks = 0
        self.sip = []      # every SIP message, in order
        self.rtp = []      # every RTP packet, in order
        self.datagrams = []  # every UDP or ICMP packet
        self.segments = []  # every TCP packet
        self.streams = {}  # (source, destination) -> [next sequence number, bytes not yet a message]

    def stop(self):
        self.process.stop()

    def read(self):
        for packet in self.reader.packets():
            if packet.transport != "tcp":
                self.datagrams.append(packet)
            if packet.transport == "udp":
                self._datagram(packet)
            elif packet.transport == "tcp":
                self.segments.append(packet)
                self._segment(packet)
        return self

    def _datagram(self, packet):
        data = packet.payload
        if sip.looks_like_sip(data):
            self.sip.append(sip.Message(data, packet.time, "udp", packet.source, packet.destination))
        elif len(data) >= 12 and data[0] >> 6 == 2 and not 200 <= data[1] <= 207:
            first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
            self.rtp.append(Rtp(packet.time, packet.source, packet.destination, second & 127, second >= 128,
                                sequence, timestamp, ssrc, len(data)))

    def _segment(self, packet):
        key = (packet.source, packet.destination)
        if packet.syn:
            self.streams[key] = [(packet.sequence + 1) & 0xFFFFFFFF, b""]
            return
        stream = self.streams.setdefault(key, [packet.sequence, b""])
        new = (packet.sequence + len(packet.payload) - stream[0]) & 0xFFFFFFFF
        if not packet.payload or not 0 < new <= len(packet.payload):
            return  # nothing new: a retransmission or a bare acknowledgement
        stream[0] = (packet.sequence + len(packet.payload)) & 0xFFFFFFFF
        messages, stream[1] = sip.split_stream(stream[1] + packet.payload[-new:])
        self.sip += [sip.Message(m, packet.time, "tcp", *key) for m in messages]

    def sync(self):
        """Returns when the file holds all that was sent before: a datagram of our own has come through. In a flood one may be
        lost to the capture, or be far from the last: it is sent again, and looked for among all that are new."""
        self.marks += 1
        mark = b"mark %d" % self.marks
        seen = len(self.read().datagrams)
        again = 0.0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.bind(("127.0.0.250", 0))

            def caught_up():
                nonlocal again
                if time.monotonic() >= again:
                    here.sendto(mark, here.getsockname())
                    again = time.monotonic() + 0.25
                return any(p.payload == mark for p in self.read().datagrams[seen:])
            until(caught_up, 5, "the capture to catch up")
        return self

    def messages(self, match=lambda m: True, since=0.0):
        return [m for m in self.read().sip if m.time >= since and match(m)]

    def wait(self, what, match, deadline_s=5, since=0.0):
        """The first SIP message that fits, now or before the deadline."""
        def found():
            return next(iter(self.messages(match, since)), None)
        return until(found, deadline_s, lambda: f"{what} on the wire\n" + self.exchange())

    def wait_rtp(self, what, match, count=1, deadline_s=5, since=0.0):
        def enough():
            fitting = [r for r in self.read().rtp if r.time >= since and match(r)]
            return fitting if len(fitting) >= count else None
        return until(enough, deadline_s, f"{count} RTP packets {what}")

    def stays_silent(self, seconds, match, what):
        """Watches for `seconds` and fails as soon as a SIP message fits."""
        since = time.time()
        end = time.monotonic() + seconds
        def over():
            for message in self.messages(match, since):
                raise Failure(f"{what}: {message}")
            return time.monotonic() >= end
        until(over, seconds + 1, what)

    def exchange(self, last=40):
        return "\n".join("    " + str(m) for m in self.read().sip[-last:])
