"""What goes over loopback, judged while it goes by: nothing of it is kept but the last messages of each call."""

import collections
import re
import socket
import struct
import threading
import time

from lib import sip

KEPT_MESSAGES = 30
KEPT_AFTER_END_S = 20
HUNG_S = 3
ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23


class Stream:
    """RTP of one SSRC from one port of the phone."""

    def __init__(self, sequence, timestamp, call):
        self.sequence, self.timestamp, self.call = sequence, timestamp, call
        self.packets = 1
        self.last = time.monotonic()


class Dialog:
    """One call as the wire shows it. `peer` and `phone` are who sent the message in question."""

    def __init__(self, call_id, address):
        self.call_id = call_id
        self.address = address                 # the peer's
        self.lines = collections.deque(maxlen=KEPT_MESSAGES)
        self.cseq = {"phone": 0, "peer": 0}
        self.branches = {"phone": collections.OrderedDict(), "peer": collections.OrderedDict()}
        self.invites = {"phone": collections.OrderedDict(), "peer": collections.OrderedDict()}  # CSeq -> last status
        self.acked = {"phone": 0, "peer": 0}   # who sent the ACK -> CSeq of the newest
        self.tags = {"phone": None, "peer": None}
        self.contact = None
        self.established = False
        self.bye_by = None
        self.ended = None                      # when a BYE or an unanswered INVITE was over
        self.refused = None                    # final status of the first INVITE
        self.direction = {"phone": "sendrecv", "peer": "sendrecv"}  # of the last description sent
        self.life = None                       # which of the driver's calls it is
        self.trying = None                     # since when an INVITE of the peer has a 100 and no more
        self.begun = []                        # what the wire showed then
        self.ssrcs = set()

    def excerpt(self):
        """What has been said since the last time that somebody asked."""
        lines = list(self.lines)
        self.lines.clear()
        return lines


class Wire:
    """Reads a packet socket in a thread of its own. `report(kind, dialog, what)` is called for each violation, with the
    lock held."""

    def __init__(self, phone, lock, report):
        self.phone, self.lock, self.report = phone, lock, report
        self.dialogs = {}
        self.streams = {}
        self.begin = time.time()
        self.rtp_packets = self.sip_messages = 0
        self.message = threading.Condition(lock)
        self.sip_port = 5060
        self.last_request = self.last_rtp = None  # whole packets of the phone, for those who break things
        self.expected_byes = set()             # Call-IDs that the phone was asked to end
        # Of ETH_P_ALL, because such a socket gets a packet before its receiver does. One of ETH_P_IP gets it after that, and
        # may then see an answer before its question.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)  # loopback shows each packet twice
        self.socket.bind(("lo", ETH_P_ALL))
        self.phone_bytes = socket.inet_aton(phone)
        threading.Thread(target=self._read, daemon=True).start()

    def lost(self):
        """Packets that the kernel could not give us since the last time."""
        _, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        return dropped

    def close(self, dialog):
        """Given up, in whatever state: what still comes of it is no news."""
        if dialog is not None:
            dialog.ended = dialog.ended or time.monotonic()
            self.expected_byes.add(dialog.call_id)

    def mark(self, text):
        """A line in the story of every call that is not over."""
        line = f"{time.time() - self.begin:10.4f} -- {text}"
        for dialog in self.dialogs.values():
            if dialog.ended is None:
                dialog.lines.append(line)

    def forget(self):
        """What is over for a while, so that memory does not grow."""
        now = time.monotonic()
        for call_id in [c for c, d in self.dialogs.items() if d.ended and now - d.ended > KEPT_AFTER_END_S]:
            del self.dialogs[call_id]
            self.expected_byes.discard(call_id)
        for key in [k for k, s in self.streams.items() if now - s.last > 600]:
            del self.streams[key]

    def _read(self):
        receive, phone = self.socket.recvfrom_into, self.phone_bytes
        buffer = bytearray(70000)
        view = memoryview(buffer)
        while True:
            size, address = receive(buffer)
            if address[1] != ETH_P_IP or size < 42:
                continue
            here, there = view[26:30] == phone, view[30:34] == phone
            if here == there:
                continue  # the phone's own stand-in, or cues
            self.take(bytes(view[14:size]), here)

    def take(self, packet, from_phone):
        header = (packet[0] & 15) * 4
        if packet[9] == 17:
            source, destination = struct.unpack_from(">HH", packet, header)
            data = packet[header + 8:]
            other = socket.inet_ntoa(packet[16:20] if from_phone else packet[12:16])
            port = source if from_phone else destination
            if port == self.sip_port:
                if sip.looks_like_sip(data):
                    if from_phone and data.startswith(b"INVITE") and b";tag=" in data.partition(b"\r\nTo:")[2][:200]:
                        self.last_request = packet
                    with self.lock:
                        self._sip(data, from_phone, other)
            elif from_phone and len(data) >= 12 and data[0] >> 6 == 2 and not 200 <= data[1] <= 207:
                self.last_rtp = packet
                with self.lock:
                    self._rtp(data, source, other)
        elif packet[9] == 1 and from_phone and packet[header] == 3:
            inner = packet[header + 8:]
            port, = struct.unpack_from(">H", inner, (inner[0] & 15) * 4 + 2)
            with self.lock:
                self._refusal(port)

    # ---- RTP

    def _rtp(self, data, port, address):
        sequence, timestamp, ssrc = struct.unpack_from(">HII", data, 2)
        self.rtp_packets += 1
        key = (port, ssrc)
        stream = self.streams.get(key)
        if stream is None:
            call = next((d for d in self.dialogs.values() if d.address == address and d.ended is None), None)
            self.streams[key] = Stream(sequence, timestamp, call.call_id if call else None)
            if call is not None:
                call.ssrcs.add(ssrc)
                if len(call.ssrcs) > 1:
                    self.report("rtp", call, f"another SSRC: {', '.join(f'{s:08x}' for s in call.ssrcs)}")
            return
        ahead = (sequence - stream.sequence) & 0xFFFF
        later = (timestamp - stream.timestamp) & 0xFFFFFFFF
        dialog = self.dialogs.get(stream.call)
        if ahead == 0 or ahead >= 0x8000:
            self.report("rtp", dialog, f"SSRC {ssrc:08x}: number {sequence} after {stream.sequence}: "
                        + ("sent twice" if ahead == 0 else "backwards"))
        elif later >= 0x80000000 or later % 160 or later < ahead * 160:
            self.report("rtp", dialog, f"SSRC {ssrc:08x}: number {stream.sequence} -> {sequence}, timestamp "
                        f"{stream.timestamp} -> {timestamp}")
        now = time.monotonic()
        if dialog is not None and dialog.ended is not None and now - dialog.ended > 1:
            self.report("ghost", dialog, f"RTP {now - dialog.ended:.1f} s after the end of the call")
            stream.call = None
        stream.sequence, stream.timestamp, stream.last = sequence, timestamp, now
        stream.packets += 1

    def _refusal(self, port):
        if port == self.sip_port:
            self.report("refused", None, "an ICMP message told a peer that the SIP port is closed")

    # ---- SIP

    def _sip(self, data, from_phone, address):
        message = sip.Message(data, time.time(), "udp", (), ())
        if message.method.startswith("CUE") or message.call_id is None:
            return
        self.sip_messages += 1
        who, other = ("phone", "peer") if from_phone else ("peer", "phone")
        dialog = self.dialogs.get(message.call_id)
        if dialog is None:
            dialog = self.dialogs[message.call_id] = Dialog(message.call_id, address)
            if not (message.is_request and message.method == "INVITE"):
                dialog.lines.append(self._line(message, from_phone))
                self.report("stranger", dialog, "a message of a call that nobody has begun, or that is long over")
        dialog.lines.append(self._line(message, from_phone))
        if message.is_request:
            self._request(dialog, message, who)
        else:
            self._response(dialog, message, who, other)
        if message.sdp and (message.is_request or message.status < 300):
            found = re.search(rb"a=(sendrecv|sendonly|recvonly|inactive)\r", message.sdp)
            dialog.direction[who] = found.group(1).decode() if found else "sendrecv"
        self.message.notify_all()

    def _line(self, message, from_phone):
        what = message.first_line if message.is_request else f"{message.first_line} ({message.method})"
        sdp = re.search(rb"a=(sendonly|recvonly|inactive)\r", message.sdp)
        return (f"{message.time - self.begin:10.4f} phone {'->' if from_phone else '<-'} peer  {what}  CSeq {message.get('cseq')}"
                + (f" {sdp.group(1).decode()}" if sdp else "") + f"  {(message.branch or '')[-8:]}")

    def _tag(self, dialog, who, tag, message):
        if tag and dialog.tags[who] is None:
            dialog.tags[who] = tag
        elif tag and dialog.tags[who] != tag:
            self.report("dialog", dialog, f"the tag of the {who} changed from {dialog.tags[who]} to {tag}: {message.first_line}")

    def _request(self, dialog, message, who):
        method, cseq, branch = message.method, message.cseq, (message.method, message.branch)
        branches = dialog.branches[who]
        if branch in branches:
            if who == "phone" and branches[branch] != cseq:
                self.report("cseq", dialog, f"one branch, two numbers: {branches[branch]} and {cseq}")
            return  # a retransmission
        branches[branch] = cseq
        while len(branches) > 64:
            branches.popitem(last=False)
        if method in ("ACK", "CANCEL"):
            if cseq not in dialog.invites[who]:
                if who == "phone":
                    self.report("cseq", dialog, f"{method} with the number of no INVITE: {cseq}")
            elif method == "ACK":
                dialog.acked[who] = max(dialog.acked[who], cseq)
                if dialog.invites[who][cseq] in range(200, 300):
                    dialog.established = True
            elif who == "phone" and dialog.call_id not in self.expected_byes:
                self.report("lost", dialog, "CANCEL that nobody asked for")
            return
        if who == "phone":
            if cseq <= dialog.cseq[who]:
                self.report("cseq", dialog, f"a new {method} with {cseq} after {dialog.cseq[who]}")
            if cseq >= 2 ** 31:
                self.report("cseq", dialog, f"{cseq} is too high")
            self._tag(dialog, "phone", message.tag("from"), message)
            contact = message.get("contact") if method == "INVITE" else None
            if contact and dialog.contact and contact != dialog.contact:
                self.report("dialog", dialog, f"the Contact changed from {dialog.contact} to {contact}")
            dialog.contact = dialog.contact or contact
        dialog.cseq[who] = max(dialog.cseq[who], cseq)
        if method == "INVITE":
            dialog.invites[who][cseq] = 0
            while len(dialog.invites[who]) > 64:
                dialog.invites[who].popitem(last=False)
        elif method == "BYE":
            dialog.bye_by = dialog.bye_by or who
            if who == "phone" and dialog.call_id not in self.expected_byes:
                self.report("lost", dialog, "BYE that nobody asked for")

    def _hung(self, dialog, message, who):
        """A 100 and then nothing: the peer waits for ever, says nothing again and refuses every offer meanwhile."""
        if who == "phone":
            dialog.trying = time.monotonic() if message.status == 100 else None
            dialog.begun = list(dialog.lines)[-6:]
        elif message.status == 491 and dialog.trying and time.monotonic() - dialog.trying > HUNG_S:
            dialog.lines = collections.deque([*dialog.begun, "    …", *list(dialog.lines)[-6:]], KEPT_MESSAGES)
            self.report("hung", dialog, f"the INVITE of the peer got 100 and then nothing for {HUNG_S} s")
            dialog.trying = None

    def _response(self, dialog, message, who, other):
        status, method = message.status, message.method
        if who == "phone" and status > 100:
            self._tag(dialog, "phone", message.tag("to"), message)
        if method == "INVITE" and message.cseq in dialog.invites[other]:
            dialog.invites[other][message.cseq] = max(status, dialog.invites[other][message.cseq])
            self._hung(dialog, message, who)
            if status >= 300 and not dialog.established and status not in (401, 407):
                dialog.refused = status
                dialog.ended = dialog.ended or time.monotonic()
                if who == "phone" and dialog.bye_by is None:
                    self.report("lost", dialog, f"the phone refused the call with {status}, which nobody asked for")
        if method == "BYE" and status >= 200:
            dialog.ended = dialog.ended or time.monotonic()
            # 481 for the peer's BYE: killed between the record's removal and the 200. The peer's call is over with it.
            if status not in (200, 481):
                self.report("lost", dialog, f"BYE was answered with {status}")
        elif status in (404, 408, 410, 481) and dialog.bye_by is None and dialog.established \
                and dialog.call_id not in self.expected_byes:  # what crosses a BYE may get 481; the BYE must still come
            self.report("lost", dialog, f"the {who} answered {method} with {status}: it does not know the call")
