"""SIP messages as captured: read, never judged by any SIP library that a tested program uses."""

import re

COMPACT = {"i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "f": "from",
           "t": "to", "v": "via", "k": "supported", "e": "content-encoding", "x": "session-expires"}
METHODS = re.compile(rb"[A-Z][A-Z-]* sips?:|[A-Z][A-Z-]* tel:|SIP/2\.0 [1-6]")


class Message:
    """One SIP message with where and when it was seen."""

    def __init__(self, data, time, transport, source, destination):
        self.data = data
        self.time = time
        self.transport = transport
        self.source = source
        self.destination = destination
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        self.first_line = lines[0]
        self.headers = []
        for line in lines[1:]:
            if line[:1] in (" ", "\t") and self.headers:
                name, value = self.headers[-1]
                self.headers[-1] = (name, value + " " + line.strip())
                continue
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))
        if self.first_line.startswith("SIP/2.0 "):
            self.status = int(self.first_line.split(" ")[1])
            self.uri = None
        else:
            self.status = None
            self.uri = self.first_line.split(" ")[1] if " " in self.first_line else ""

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def method(self):
        """Of a response: of the request that it answers."""
        if self.status is None:
            return self.first_line.split(" ")[0]
        return (self.get("cseq") or " ?").split()[-1]

    @property
    def is_request(self):
        return self.status is None

    @property
    def cseq(self):
        return int(self.get("cseq").split()[0])

    @property
    def call_id(self):
        return self.get("call-id")

    @property
    def branch(self):
        found = re.search(r";branch=([^;,\s]+)", self.get("via") or "")
        return found.group(1) if found else None

    @property
    def sdp(self):
        return self.body if "sdp" in (self.get("content-type") or "") else b""

    def tag(self, header):
        found = re.search(r">.*?;tag=([^;\s]+)|^[^<]*?;tag=([^;\s]+)", self.get(header) or "")
        return (found.group(1) or found.group(2)) if found else None

    def __str__(self):
        what = self.first_line if self.status is None else f"{self.first_line} ({self.method})"
        return (f"{self.time:.3f} {self.source[0]}:{self.source[1]} -> "
                f"{self.destination[0]}:{self.destination[1]} {what} CSeq {self.get('cseq')}")


def looks_like_sip(data):
    return METHODS.match(data) is not None


def split_stream(buffer):
    """Whole messages at the start of a byte stream, and what is left of it."""
    messages = []
    while True:
        buffer = buffer.lstrip(b"\r\n")
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return messages, buffer
        found = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", buffer[:end])
        length = end + 4 + (int(found.group(1)) if found else 0)
        if len(buffer) < length:
            return messages, buffer
        messages.append(buffer[:length])
        buffer = buffer[length:]
