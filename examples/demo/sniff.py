#!/usr/bin/env python3
"""usage: sniff.py FILE ADDRESS ADDRESS

In tcpdump's place where that cannot run (in a user namespace it cannot give up its rights): writes the UDP and ICMP
packets on lo between two IPv4 addresses to a pcap file, each as soon as it comes, with the kernel's time."""

import socket
import struct
import sys

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
OUTGOING = 4  # on lo each packet is seen going and coming


def main(path, *addresses):
    wanted = {socket.inet_aton(a) for a in addresses}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as lo, open(path, "wb", 0) as file:
        lo.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        lo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        lo.bind(("lo", 0))
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        print("listening on lo", flush=True)
        while True:
            frame, ancillary, _, source = lo.recvmsg(65535, 64)
            if source[2] == OUTGOING or source[1] != 0x0800 or frame[23] not in (1, 17):
                continue
            if {frame[26:30], frame[30:34]} == wanted:
                seconds, nanos = struct.unpack("qq", ancillary[0][2])
                file.write(struct.pack("<IIII", seconds, nanos // 1000, len(frame), len(frame)) + frame)


main(*sys.argv[1:])
