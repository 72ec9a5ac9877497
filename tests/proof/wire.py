"""The calls as the peer saw them: read from the packets at the peer's address, and from nothing else."""

import re

from lib import checks
from lib.waiting import Failure

EARLY, CONFIRMED, ENDING, OVER, UNKNOWN = "early", "confirmed", "ending", "over", "unknown"


class Request:
    """One request, each once: retransmissions have its branch. ACK is none."""

    def __init__(self, message, from_peer):
        self.message = message
        self.method = message.method
        self.cseq = message.cseq
        self.from_peer = from_peer
        self.time = message.time
        self.answers = []
        self.ack = None  # of its final answer

    @property
    def final(self):
        return next((a for a in self.answers if a.status >= 200), None)

    @property
    def status(self):
        return self.final.status if self.final else None

    def accepted(self):
        return self.final is not None and self.final.status < 300

    def __str__(self):
        who = "the peer's" if self.from_peer else "the phone's"
        return f"{who} {self.method} (CSeq {self.cseq})"


class Call:
    def __init__(self, call_id):
        self.call_id = call_id
        self.requests = []
        self.by_key = {}

    def take(self, message, from_peer):
        if message.is_request:
            if message.method == "ACK":
                for request in self.requests:
                    if (request.method, request.cseq, request.from_peer) == ("INVITE", message.cseq, from_peer) \
                            and request.final is not None and request.ack is None:
                        request.ack = message
                return
            key = (message.method, message.branch, from_peer)
            if key not in self.by_key:
                self.by_key[key] = Request(message, from_peer)
                self.requests.append(self.by_key[key])
            return
        request = self.by_key.get((message.method, message.branch, not from_peer))
        if request is not None:
            request.answers.append(message)

    def all(self, method, from_peer=None):
        return [r for r in self.requests if r.method == method and from_peer in (None, r.from_peer)]

    def initial(self):
        """The last INVITE outside of the dialog: one that was challenged is followed by another."""
        return [r for r in self.all("INVITE") if not r.message.tag("to")][-1:]

    def confirmed(self):
        return any(r.accepted() for r in self.initial())

    def bye(self):
        """The BYE that ended it; with 481 it does that too (RFC 3261 section 15.1.1)."""
        return next((r for r in self.all("BYE") if r.accepted() or r.status == 481), None)

    def live(self):
        """Whether the peer believes in it, and nobody has begun to end it."""
        return self.state() in (EARLY, CONFIRMED)

    def state(self, at=float("inf")):
        def until(message):
            return message is not None and message.time <= at
        begun = [r for r in self.all("INVITE") if not r.message.tag("to") and r.time <= at]
        if not begun:
            return UNKNOWN
        if any(until(r.final) and (r.accepted() or r.status == 481) for r in self.all("BYE")):
            return OVER
        last = begun[-1]
        if until(last.final) and last.status >= 300 and last.status not in (401, 407):
            return OVER
        if any(r.time <= at and not (until(r.final) and r.status >= 300) for r in self.all("BYE") + self.all("CANCEL")):
            return ENDING
        return CONFIRMED if until(last.final) and last.accepted() else EARLY

    def open(self):
        """What waits for an answer or an ACK. When the call is over, the phone's requests are nobody's concern: one that
        was on its way at the death, and was made again, may stay without an answer."""
        over = self.state() == OVER
        return [r for r in self.requests if r.final is None and (r.from_peer or not over) and not self.has_canceled(r)
                or r.method == "INVITE" and r.ack is None and (r.accepted() or r.from_peer)]

    def has_canceled(self, request):
        """A CANCEL whose INVITE has ended has done its work. The phone that had read it may have died with it, and sipp
        does not say it again, as RFC 3261 section 17.1.2.2 wants; it would get 481 then (section 9.2)."""
        return request.method == "CANCEL" and any(
            r.method == "INVITE" and r.message.branch == request.message.branch and r.final is not None for r in self.requests)


class Wire:
    def __init__(self, capture, peer_address):
        self.capture = capture
        self.address = peer_address
        self.at = 0
        self._calls = {}

    def calls(self):
        messages = self.capture.read().sip
        for message in messages[self.at:]:
            if self.address not in (message.source[0], message.destination[0]) or message.method.startswith("CUE") \
                    or message.method == "REGISTER":
                continue
            call = self._calls.setdefault(message.call_id, Call(message.call_id))
            call.take(message, message.source[0] == self.address)
        self.at = len(messages)
        return list(self._calls.values())

    def known(self):
        return [c for c in self.calls() if c.initial()]

    def live(self):
        return [c for c in self.known() if c.live()]

    def quiet(self):
        return not any(c.open() for c in self.calls())

    def state(self, at):
        """Of the call that was furthest from being over."""
        states = [c.state(at) for c in self.known()]
        return next((s for s in (CONFIRMED, EARLY, ENDING, OVER) if s in states), UNKNOWN)


def why_lost(call, ends, died_in):
    """Why the peer does not agree that the call went to its end, or "". `ends`: phone, peer, cancel, decline;
    `died_in`: the call's state when the phone died. A BYE may get 481 if it was on its way then: the peer has what it
    wanted. Else the 481 says that the phone had forgotten the call."""
    initial = call.initial()[0]
    if initial.final is None:
        return f"{initial} has no final answer"
    for request in call.requests:
        if request.method == "INVITE" and request.accepted() and request.ack is None:
            return f"the 2xx to {request} was never acknowledged"
        if request.from_peer and request.final is None and not call.has_canceled(request):
            return f"{request} has no answer"
        if request.method == "BYE" and request.status == 481 and died_in in (ENDING, OVER):
            continue
        if request.from_peer and request.status in (408, 481, 500, 503) and not any(
                later.method == request.method and later.accepted() for later in call.requests if later.time > request.time):
            return f"{request} got {request.status}"
    byes = call.all("BYE")
    if ends in ("cancel", "decline"):
        if initial.accepted():
            return "it was answered"
        wanted = (487,) if ends == "cancel" else (486, 603)
        return "" if initial.status in wanted else f"{initial} got {initial.status}"
    if not initial.accepted():
        return f"{initial} got {initial.status}" + (" after a CANCEL that nobody asked for" if call.all("CANCEL") else "")
    if call.bye() is None:
        return "no BYE was accepted" if byes else "nobody has said BYE"
    if byes[0].from_peer != (ends == "peer"):
        return f"{byes[0]} was not asked for"
    return ""


def broken_rules(capture, phone):
    """What the phone must never do, whether or not it costs the call. Read at the phone's own address."""
    found = []

    def rule(function):
        try:
            function()
        except Failure as failure:
            found.append(str(failure).split("\n")[0])

    ours = [m for m in capture.sync().messages(phone.from_here) if not m.method.startswith("CUE")]
    for call_id in dict.fromkeys(m.call_id for m in ours):
        sent = [m for m in checks.requests(capture, phone, call_id)]
        first = {}
        for m in ours:
            if m.is_request and m.call_id == call_id:
                if first.setdefault((m.method, m.branch), m).data != m.data:
                    found.append(f"two requests with one branch: {m}")
        rule(lambda: checks.cseq_rises(sent))
        if any(m.method == "BYE" and m.cseq == 2147483647 for m in sent):
            found.append("BYE with CSeq 2147483647")
        final = {(m.cseq, m.method): m.status for m in capture.messages(phone.to_here) if m.status and m.status >= 200
                 and m.call_id == call_id}
        local = {m.tag("from") for m in sent} | {m.tag("to") for m in ours if m.call_id == call_id and m.status
                                                and m.status > 100 and m.method == "INVITE" and m.status < 300}
        if len(local - {None}) > 1:
            found.append(f"more than one local tag: {sorted(map(str, local - {None}))}")
        remote = {m.tag("to") for m in sent if not (m.method == "ACK" and final.get((m.cseq, "INVITE"), 200) >= 300)}
        if len(remote - {None}) > 1:
            found.append(f"more than one remote tag: {sorted(map(str, remote - {None}))}")
        rule(lambda: checks.versions_rise([m for m in ours if m.sdp and m.call_id == call_id]))
    streams = {}
    for packet in checks.rtp_from(capture, phone):
        streams.setdefault(packet.ssrc, []).append(packet)
    if len(streams) > len({m.call_id for m in ours}):
        found.append(f"{len(streams)} SSRCs")
    for packets in streams.values():
        rule(lambda: checks.one_stream(packets, pauses=True))
    return found
