"""A name server of our own in the scenario's namespace, with the ways in which name servers fail; and resolv.conf."""

import os
import socket
import struct
import subprocess
import threading

from .waiting import until

A, AAAA, SRV, NAPTR = 1, 28, 33, 35


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def text(value):
    return bytes([len(value)]) + value.encode()


class NameServer:
    """`records`: {(name, type): [value]}; a value is an address, (priority, weight, port, target) or (order, preference,
    service, replacement). `mode` can be changed at any time:
      answers    silent    slow (5 s)    refuses (REFUSED)    fails (SERVFAIL)    denies (NXDOMAIN to everything)
      lies (a wrong id, somebody else's question, half a packet)    closed (nobody listens)"""

    def __init__(self, env, records, address="127.0.0.53", mode="answers", ttl=1, slow_s=5.0):
        self.env = env
        self.address = address
        self.records = {(name.lower(), kind): values for (name, kind), values in records.items()}
        self.mode = mode
        self.ttl = ttl
        self.slow_s = slow_s
        self.asked = []  # (name, type), in order
        self.ended = False
        self.socket = None
        env.at_end(self.end)
        if mode != "closed":
            self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()

    def close(self):
        if self.socket is not None:
            here, self.socket = self.socket, None
            here.close()

    def set(self, mode):
        """From now on."""
        if mode == "closed":
            self.close()
        elif self.socket is None:
            self.open()
        self.mode = mode

    def end(self):
        self.ended = True
        self.close()

    def _serve(self, here):
        here.settimeout(0.05)
        while self.socket is here and not self.ended:
            try:
                query, client = here.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            self._hear(here, query, client)

    def _hear(self, here, query, client):
        name, kind, end = question(query)
        self.asked.append((name, kind))
        mode = self.mode
        if mode == "silent":
            return
        reply = self._reply(query, name, kind, end, mode)
        if mode == "slow":
            threading.Timer(self.slow_s, self._send, (here, reply, client)).start()
        elif mode == "lies":
            for lie in (b"\xff\xff" + reply[2:], reply[:len(reply) // 2], reply[:12] + encoded("other.example") + reply[end - 4:],
                        os.urandom(64)):
                self._send(here, lie, client)
        else:
            self._send(here, reply, client)

    @staticmethod
    def _send(here, reply, client):
        try:
            here.sendto(reply, client)
        except OSError:
            pass  # closed meanwhile

    def _reply(self, query, name, kind, end, mode):
        exists = any(n == name for n, _ in self.records)
        code = {"refuses": 5, "fails": 2, "denies": 3}.get(mode, 0 if exists else 3)
        values = [] if code else self.records.get((name, kind), [])
        body = b"".join(encoded(name) + struct.pack("!HHIH", kind, 1, self.ttl, len(data)) + data
                        for data in (rdata(kind, value) for value in values))
        return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(values), 0, 0) + query[12:end] + body


def question(query):
    """Name, type, and where the question ends."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0], at + 5


def rdata(kind, value):
    if kind == A:
        return socket.inet_pton(socket.AF_INET, value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == SRV:
        priority, weight, port, target = value
        return struct.pack("!HHH", priority, weight, port) + encoded(target)
    order, preference, service, replacement = value
    return struct.pack("!HH", order, preference) + text("s") + text(service) + text("") + encoded(replacement)


class ResolvConf:
    """/etc/resolv.conf of the scenario alone: its mount namespace is its own."""

    def __init__(self, env, *servers):
        self.path = env.path("resolv.conf")
        self.write(*servers)
        subprocess.run(["mount", "--bind", self.path, "/etc/resolv.conf"], check=True)
        env.at_end(lambda: subprocess.run(["umount", "/etc/resolv.conf"], check=False))

    def write(self, *servers):
        """In place: a bind mount does not follow a rename."""
        with open(self.path, "w", encoding="ascii") as file:
            file.write("".join(f"nameserver {server}\n" for server in servers))


def route_to(address, there):
    """Whether this namespace has an address, and with it a way to it."""
    subprocess.run(["ip", "addr", "replace" if there else "del", f"{address}/32", "dev", "lo"], check=True)


def asked_for(server, name, deadline_s=5):
    until(lambda: any(n.endswith(name) for n, _ in server.asked), deadline_s, f"a question for {name}")
