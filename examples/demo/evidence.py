"""What a run left behind, read again from its files: nothing here was told by the phone, but for facts.json."""

import json
import os
from statistics import median

from lib import checks, pcap
from lib.waiting import Failure

import sound
from act import Wire

STEP = 160    # samples in a packet: 20 ms at 8 kHz
SLOT_S = 0.02


class End:
    """One side as lib.checks wants to see it."""

    def __init__(self, address, other):
        self.address, self.other = address, other
        self.rtp_ports = (1024, 65535)

    def from_here(self, message):
        return message.source[0] == self.address and message.destination[0] == self.other

    def to_here(self, message):
        return message.source[0] == self.other and message.destination[0] == self.address


class Evidence:
    def __init__(self, output):
        self.output = output
        with open(os.path.join(output, "logs", "facts.json"), encoding="utf-8") as file:
            self.facts = json.load(file)
        path = os.path.join(output, "demo.pcap")
        self.wire = Wire(path, pcap.Reader(path)).read()
        self.phone = End(self.facts["phone"], self.facts["peer"])
        self.peer = End(self.facts["peer"], self.facts["phone"])
        self.killed_at = self.facts["killed_at"]
        self.sip = sorted(self.wire.sip, key=lambda m: m.time)
        self.sent = checks.requests(self.wire, self.phone)  # the phone's requests, each once
        self.invites = [m for m in self.sent if m.method == "INVITE"]
        self.rtp = checks.rtp_from(self.wire, self.phone)
        self.rtp_back = checks.rtp_from(self.wire, self.peer)
        self.before = [p for p in self.rtp if p.time <= self.killed_at]
        self.after = [p for p in self.rtp if p.time > self.killed_at]
        if not (self.invites and self.before and self.after):
            raise Failure("the capture holds no call with audio before and after the kill")

    def path(self, *parts):
        return os.path.join(self.output, *parts)

    @property
    def lost(self):
        """Packets that the peer misses in the gap, by their numbers."""
        return (self.after[0].sequence - self.before[-1].sequence - 1) & 0xFFFF

    @property
    def gap_ms(self):
        return (self.after[0].time - self.before[-1].time) * 1000

    @property
    def shift_ms(self):
        """By how much the stream after the gap runs behind the schedule of the stream before it."""
        first = self.before[0]
        def late(packet):
            return packet.time - ((packet.sequence - first.sequence) & 0xFFFF) * SLOT_S
        return (median(map(late, self.after)) - median(map(late, self.before))) * 1000


def lay_out(samples, capture, peer):
    """A recording without time, put on the time line of the RTP stream that it was made from: each recorded packet is
    looked up in the capture, in order, and stands where its timestamp says. What never came is silence, also where
    baresip made something up: it plays the first packet after a loss twice."""
    packets = [p for p in _rtp_with_payload(capture) if p[0] == peer]
    if not packets:
        raise Failure("no RTP to the peer")
    first = packets[0][1]
    last = (packets[-1][1] - first) & 0xFFFFFFFF
    laid = [0] * (last + STEP)
    at = end = 0
    for begin in range(0, len(samples) - STEP + 1, STEP):
        frame = tuple(samples[begin:begin + STEP])
        if 0 < at < len(packets) and not _same(packets[at][2], frame) and _same(packets[at - 1][2], frame):
            continue
        while at < len(packets) and not _same(packets[at][2], frame):
            at += 1
        if at == len(packets):
            raise Failure(f"the peer's recording holds audio at {begin / sound.RATE:.2f} s that no packet carried")
        place = (packets[at][1] - first) & 0xFFFFFFFF
        laid[place:place + STEP] = frame
        end = place + STEP
        at += 1
    return laid[:end]


def _same(decoded, frame):
    # Decoders differ by a little: libre's has 2 for G.711's zero.
    return all(abs(a - b) <= 8 for a, b in zip(decoded, frame))


def _rtp_with_payload(capture):
    """(destination, timestamp, decoded samples) of every G.711 packet."""
    for packet in pcap.Reader(capture).packets():
        data = packet.payload
        if packet.transport == "udp" and len(data) == 12 + STEP and data[0] == 0x80 and data[1] & 127 in sound.G711:
            yield (packet.destination[0], int.from_bytes(data[4:8], "big"),
                   tuple(map(sound.G711[data[1] & 127].__getitem__, data[12:])))
