"""sipp as the far end. Its scenarios are XML files; parts that several share are put in by name."""

import os
import re
import socket

from .process import Process, listening
from .waiting import Failure, until

CUES_MAX = 10
COMMON = os.path.join(os.path.dirname(os.path.dirname(__file__)), "common")


class Sipp:
    """`xml` is looked for beside scenario.py, then in common/. Without `remote` it waits to be called.
    `contact`: the host in its Contact. `keys` are sipp's own [keys]; where sipp wants the text before it runs (a status line), the XML says @key@."""

    def __init__(self, env, xml, name="peer", address="127.0.0.2", port=5060, remote=None, transport="udp",
                 user="bob", keys=None, calls=1, rtp_port=16000, options=(), start=True, contact=None):
        self.env = env
        self.name = name
        self.address = address
        self.port = port
        self.transport = transport
        host = f"[{address}]" if ":" in address else address
        self.uri = f"sip:{user}@{host}:{port}" + (";transport=tcp" if transport == "tcp" else "")
        self.rtp_port = rtp_port
        path = os.path.join(env.directory, f"{name}.xml")
        text = expand(find(env, xml))
        if contact is not None:
            text = text.replace("<sip:peer@[local_ip]:[local_port]", f"<sip:peer@{contact}")
        with open(path, "w", encoding="ascii") as file:
            file.write(re.sub("@([a-z]+)@", lambda found: keys[found.group(1)], text))
        self.arguments = ["sipp", *([remote] if remote else []), "-sf", path, "-i", host, "-p", port,
                          "-t", "t1" if transport == "tcp" else "u1", "-m", calls, "-mi", host, "-mp", rtp_port,
                          "-rtp_echo", "-nostdin", "-nd", "-max_reconnect", "5", "-reconnect_close", "false",
                          "-timeout", "100s", "-timeout_error", "-trace_err", "-error_file", f"{name}.errors",
                          "-trace_msg", "-message_file", f"{name}.messages"]
        for key, value in {"extra": "X-Peer: sipp", **(keys or {})}.items():
            self.arguments += ["-key", key, value]
        self.arguments += options
        self.process = None
        self.starts = 0
        self.cues = 0
        env.at_end(self.stop)
        if start:
            self.start()

    def start(self):
        self.starts += 1
        self.process = Process(f"{self.name}-{self.starts}" if self.starts > 1 else self.name, self.arguments,
                               self.env.directory)
        until(lambda: listening(self.transport, self.address, self.port) or not self.process.running(), 5,
              f"{self.name} to listen")
        return self

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def kill9(self):
        self.process.kill9()

    def cue(self, what, call_id):
        """Tells the scenario to go on: a message CUE-<what> of the same call, which only sipp sees. What comes while sipp
        goes from one step to the next is unexpected to it, and is said again."""
        for _ in range(CUES_MAX):
            branch = self._send_cue(what, call_id)
            until(lambda b=branch: not self.process.running() or b in self.log("messages") and self.process.idle(), 5,
                  f"{self.name} to read CUE-{what}")
            if branch not in self.log("errors"):
                return
        raise Failure(f"{self.name} (sipp) does not expect CUE-{what}\n{self.errors()}")

    def _send_cue(self, what, call_id):
        self.cues += 1
        branch = f"z9hG4bKcue{self.cues:04}"
        lines = [f"CUE-{what} sip:cue SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.99;branch={branch}", "From: <sip:cue>;tag=1",
                 "To: <sip:cue>", f"Call-ID: {call_id}", f"CSeq: 1 CUE-{what}", "Content-Length: 0", "", ""]
        data = "\r\n".join(lines).encode()
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        kind = socket.SOCK_STREAM if self.transport == "tcp" else socket.SOCK_DGRAM
        with socket.socket(family, kind) as speaker:
            if family == socket.AF_INET:
                speaker.bind(("127.0.0.99", 0))
            speaker.connect((self.address, self.port))
            speaker.sendall(data)
        return branch

    def wait_exit(self, deadline_s=10):
        """All its calls have gone through the whole scenario."""
        status = self.process.wait_exit(deadline_s)
        if status != 0:
            raise Failure(f"{self.name} (sipp) ended with {status}\n{self.errors()}")

    def log(self, kind):
        """What sipp has written so far: its "messages" or its "errors"."""
        try:
            with open(os.path.join(self.env.directory, f"{self.name}.{kind}"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def errors(self, last=1500):
        return self.log("errors")[-last:]


def find(env, xml):
    for directory in (env.source, COMMON):
        path = os.path.join(directory, xml)
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return file.read()
    raise FileNotFoundError(xml)


def expand(text):
    """Puts common/<name>.part in the place of each <?part name?>."""
    def part(found):
        with open(os.path.join(COMMON, found.group(1) + ".part"), encoding="ascii") as file:
            return expand(file.read())
    return re.sub(r"<\?part (\w+)\?>", part, text)
