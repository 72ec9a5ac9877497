"""Reads a pcap file while tcpdump is still writing it: IPv4 and IPv6, UDP and TCP."""

import ipaddress
import struct
from dataclasses import dataclass

ETHERNET, LINUX_SLL, LINUX_SLL2 = 1, 113, 276


@dataclass
class Packet:
    time: float
    transport: str  # "udp", "tcp" or "icmp"
    source: tuple
    destination: tuple
    payload: bytes
    sequence: int = 0  # TCP only
    flags: int = 0     # TCP only

    @property
    def syn(self):
        return bool(self.flags & 2)

    @property
    def closes(self):
        """FIN or RST."""
        return bool(self.flags & (1 | 4))


class Reader:
    """packets() yields what has been completely written since the last time."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.link = None

    def packets(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return
        at = 0
        if self.link is None:
            if len(data) < 24:
                return
            magic, = struct.unpack_from("<I", data)
            if magic != 0xA1B2C3D4:
                raise ValueError(f"{self.path}: not a little-endian pcap file with microseconds")
            self.link, = struct.unpack_from("<I", data, 20)
            at = 24
        while len(data) - at >= 16:
            seconds, micros, captured, _ = struct.unpack_from("<IIII", data, at)
            if len(data) - at - 16 < captured:
                break
            packet = self._packet(seconds + micros / 1e6, data[at + 16:at + 16 + captured])
            at += 16 + captured
            if packet is not None:
                yield packet
        self.offset += at

    def _packet(self, time, frame):
        skip = {ETHERNET: 14, LINUX_SLL: 16, LINUX_SLL2: 20}[self.link]
        ip = frame[skip:]
        if not ip:
            return None
        if ip[0] >> 4 == 4:
            header, protocol = (ip[0] & 15) * 4, ip[9]
            total, = struct.unpack_from(">H", ip, 2)
            if total:  # 0: segmentation offload, the frame says how long it is
                ip = ip[:total]
            source, destination = ip[12:16], ip[16:20]
        elif ip[0] >> 4 == 6:
            header, protocol = 40, ip[6]
            source, destination = ip[8:24], ip[24:40]
        else:
            return None
        source, destination = (str(ipaddress.ip_address(a)) for a in (source, destination))
        body = ip[header:]
        if protocol in (1, 58):
            return Packet(time, "icmp", (source, 0), (destination, 0), body)
        if protocol == 17 and len(body) >= 8:
            sport, dport = struct.unpack_from(">HH", body)
            return Packet(time, "udp", (source, sport), (destination, dport), body[8:])
        if protocol == 6 and len(body) >= 20:
            sport, dport, sequence = struct.unpack_from(">HHI", body)
            return Packet(time, "tcp", (source, sport), (destination, dport),
                          body[(body[12] >> 4) * 4:], sequence, body[13])
        return None
