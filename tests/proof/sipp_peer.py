"""Writes sipp's side of a case: a peer that does what RFC 3261 asks of a user agent, whatever the phone does in between.

A 2xx to an INVITE is sent again until its own ACK has come, and a re-INVITE that comes before gets 500 with Retry-After
(section 14.2). A re-INVITE that crosses one of the peer's gets 491. After BYE every request gets 481. The driver tells
the peer what to do with CUE- messages (tests/integration/lib/sipp.py); CUE-END ends the scenario."""

CONTACT = "Contact: <sip:peer@[local_ip]:[local_port];transport=[transport]>"
ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"
SDP = """v=0
o=sipp 4711 {version} IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a={direction}"""
RESEND_MS = 500  # as a message would be sent again first by RFC 3261; sipp can do so itself, but then takes no requests
CSEQ = {"INVITE": 1, "HOLD": 100, "UNHOLD": 200, "UPDATE": 300, "INFO": 400, "BYE": 500}
SIZE_MAX = 65000  # sipp reads no more
REFUSALS = (404, 408, 480, 481, 486, 487, 488, 503, 603)


class Writer:
    def __init__(self, proxied):
        self.proxied = proxied
        self.parts = []
        self.variables = set()
        self.labels = 0
        self.backs = set()  # where to go on after a re-INVITE

    def label(self, name):
        self.parts.append(f'<label id="{name}"/>')

    def fresh(self, name):
        self.labels += 1
        return f"{name}_{self.labels}"

    def send(self, first_line, headers, sdp=None, to=None):
        lines = [first_line, *[h for h in headers if h]]
        if sdp:
            lines += ["Content-Type: application/sdp", "Content-Length: [len]", "", *sdp.split("\n")]
        else:
            lines += ["Content-Length: 0", ""]
        attributes = f' next="{to}"' if to else ""
        text = "\n".join(lines)
        self.parts.append(f"<send{attributes}><![CDATA[\n\n{text}\n\n]]></send>")

    def recv(self, what, to=None, optional=True, actions="", timeout=None, rrs=False):
        kind = "response" if isinstance(what, int) else "request"
        attributes = f' {kind}="{what}"' + (' optional="true"' if optional else "") + (f' next="{to}"' if to else "")
        if timeout:
            attributes += f' timeout="{timeout[0]}" ontimeout="{timeout[1]}"'
        if rrs:
            attributes += ' rrs="true"'
        self.parts.append(f"<recv{attributes}>" + (f"<action>{actions}</action>" if actions else "") + "</recv>")

    def take(self, variable, header, regexp="[^ ].*", occurrence=1):
        self.variables.add(variable)
        return (f'<ereg regexp="{regexp}" search_in="hdr" header="{header}:" occurrence="{occurrence}" '
                f'assign_to="{variable}"/>')

    def branch_to(self, to, text, variable, wanted):
        """Goes to `to` if the variable holds that text."""
        other, same = self.fresh("other"), self.fresh("same")
        self.variables |= {other, same}
        self.parts.append(f'<nop><action><strcmp assign_to="{other}" variable="{variable}" {text}="{wanted}"/>'
                          f'<test assign_to="{same}" variable="{other}" compare="equal" value="0"/></action></nop>')
        self.parts.append(f'<nop next="{to}" test="{same}"/>')

    def goto(self, to):
        self.parts.append(f'<nop next="{to}"/>')

    def last(self, status, to=None, extra=(), tag="", sdp=None):
        """A response to what has just come."""
        self.send(f"SIP/2.0 {status}", ["[last_Via:]", "[last_From:]", "[last_To:]" + tag, "[last_Call-ID:]", "[last_CSeq:]",
                                        "[last_Record-Route:]", CONTACT, ALLOW, "Supported: timer", *extra], sdp, to=to)

    # -- an INVITE that is answered later: its header fields are kept in variables

    def keep(self, p):
        return (self.take(p + "via", "Via") + (self.take(p + "via2", "Via", occurrence=2) if self.proxied else "")
                + self.take(p + "from", "From") + self.take(p + "to", "To") + self.take(p + "cseq", "CSeq")
                + self.take(p + "n", "CSeq", "[0-9]+")
                + (self.take(p + "rr", "Record-Route") if self.proxied and p == "i" else ""))

    def kept(self, p, status, tag="", extra=(), sdp=None, to=None):
        self.send(f"SIP/2.0 {status}", [f"Via: [${p}via]", f"Via: [${p}via2]" if self.proxied else "",
                                        f"From: [${p}from]", f"To: [${p}to]{tag}", "Call-ID: [call_id]", f"CSeq: [${p}cseq]",
                                        f"Record-Route: [${p}rr]" if self.proxied and p == "i" else "", CONTACT, ALLOW,
                                        "Supported: timer", *extra], sdp, to=to)

    def until_acked(self, p, again, acked, on_bye, tag=""):
        """After a 2xx was sent at the label `again`: waits for its ACK."""
        busy, cancel, ok, ack = (self.fresh(n) for n in ("busy", "cancel", "ok", "ack"))
        self.recv("INVITE", busy, timeout=(RESEND_MS, again))
        self.recv("CANCEL", cancel)
        for method in ("INFO", "OPTIONS", "UPDATE"):
            self.recv(method, ok)
        self.recv("BYE", on_bye)
        self.recv("ACK", ack, optional=False, actions=self.take("acked", "CSeq", "[0-9]+"))
        self.label(busy)
        self.last("500 The last answer is not acknowledged", again, ["Retry-After: 1"])
        self.label(cancel)
        self.last("200 OK", again, tag=tag)
        self.label(ok)
        self.last("200 OK", again)
        self.label(ack)
        self.branch_to(acked, "variable2", "acked", p + "n")
        self.goto(again)

    def reinvite(self, at, back):
        """A re-INVITE of the phone has come: it is answered, then back."""
        self.variables.add("back")
        self.backs.add(back)
        self.label(at)
        self.parts.append(f'<nop next="reinvite"><action><assignstr assign_to="back" value="{back}"/></action></nop>')

    def reinvites(self, extra, on_bye):
        """The answer to a re-INVITE mirrors its offer."""
        answer = self.fresh("answer")
        self.label("reinvite")
        self.variables |= {"offered", "answer", "version"}
        for direction, text, version in (("sendonly", "recvonly", 2), ("recvonly", "sendonly", 3), ("inactive", "inactive", 4)):
            mirrored = self.fresh("mirrored")
            self.branch_to(mirrored, "value", "offered", f"a={direction}")
            after = self.fresh("after")
            self.goto(after)
            self.label(mirrored)
            self.parts.append(f'<nop next="{answer}"><action><assignstr assign_to="answer" value="{text}"/>'
                              f'<assignstr assign_to="version" value="{version}"/></action></nop>')
            self.label(after)
        self.parts.append('<nop><action><assignstr assign_to="answer" value="sendrecv"/>'
                          '<assignstr assign_to="version" value="1"/></action></nop>')
        self.label(answer)
        self.kept("r", "200 OK", extra=[extra], sdp=SDP.format(version="[$version]", direction="[$answer]"))
        self.until_acked("r", answer, "go_back", on_bye)
        self.label("go_back")
        for back in sorted(self.backs):
            self.branch_to(back, "value", "back", back)

    def offer_actions(self):
        self.variables.add("offered")
        return ('<ereg regexp="a=(sendonly|recvonly|inactive)|$" search_in="body" assign_to="offered"/>'
                + self.keep("r"))

    # -- requests of the peer

    def request(self, method, cseq, branch, sdp=None, to=None):
        self.send(f"{method} [$target] SIP/2.0",
                  [f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-{branch}-[call_number]", "Max-Forwards: 70",
                   "[routes]", "From: [$us]", "To: [$them]", "Call-ID: [call_id]", f"CSeq: {cseq} {method}", CONTACT,
                   "User-Agent: sipp"], sdp, to)

    def ask(self, name, method, done, over, sdp=None, tries=2):
        """A request within the dialog, made again after 491 and 500; meanwhile the phone may ask something itself."""
        for k in range(tries):
            at, wait, glare, busy, ok, bye, ack, dead = (f"{name}_{k}" + s for s in
                                                         ("", "_wait", "_glare", "_busy", "_ok", "_bye", "_ack", "_dead"))
            number, again = CSEQ[name] + k, f"{name}_{k + 1}" if k + 1 < tries else over
            self.label(at)
            self.request(method, number, f"{name}{k}", sdp)
            offer = "" if method in ("INVITE", "BYE") else self.offer_actions()
            # After a 1xx the INVITE is not sent again (section 17.1.1.2): "_on".
            for on, label, back in (("", wait, at), ("_on", wait + "_on", wait + "_on"))[:2 if method == "INVITE" else 1]:
                self.label(label)
                self.recv(100, wait + "_on" if method == "INVITE" else None, timeout=None if on else (RESEND_MS, at))
                self.recv("INVITE", glare + on, actions=offer)
                for other in ("INFO", "OPTIONS", "UPDATE"):
                    self.recv(other, ok + on)
                self.recv("ACK", back)
                self.recv("BYE", bye)
                for status in (491, 500):
                    self.recv(status, busy)
                for status in REFUSALS:
                    self.recv(status, dead)
                self.recv(200, ack, optional=False)
                self.label(ok + on)
                self.last("200 OK", back)
                if method == "INVITE":
                    self.label(glare + on)
                    self.last("491 Request Pending", back)
            self.label(bye)
            self.last("200 OK", over)
            if method == "BYE":
                self.label(glare)
                self.last("481 No such call", at)
            elif method != "INVITE":
                self.reinvite(glare, at)
            self.label(busy)
            if method == "INVITE":
                self.request("ACK", number, f"{name}{k}")
            # The phone's turn, then ours. A jump to the message at which sipp stands would not start the time again.
            for more, other in (("_more", "_again"), ("_again", "_more")):
                self.label(busy + more)
                self.recv("INVITE", glare, actions=offer, timeout=(700, again))
                self.recv("ACK", busy + other)
                self.recv("BYE", bye, optional=False)
            self.label(dead)
            if method == "INVITE":
                self.request("ACK", number, f"{name}{k}")
            self.goto(over)
            self.label(ack)
            if method == "INVITE":
                self.request("ACK", number, f"{name}{k}-ack")
            self.goto(done)

    def loop(self, name, asks, bye="ok", then="over"):
        """The peer within a dialog."""
        re, ok, ack, end = name + "_re", name + "_ok", name + "_reack", name + "_end"
        self.label(name)
        self.recv("INVITE", re, actions=self.offer_actions())
        for method in ("INFO", "OPTIONS", "UPDATE"):
            self.recv(method, ok)
        self.recv("ACK", name)
        for cue in asks:
            self.recv("CUE-" + cue, f"{cue}_0")
        self.recv(200, ack, actions=self.take("again", "CSeq", "[0-9]+") + self.take("asked", "CSeq", "[A-Z]+"))
        self.recv("BYE", end, optional=False, actions=self.keep("b"))
        self.label(ok)
        self.last("200 OK", name)
        self.reinvite(re, name)
        self.label(ack)  # an answer that comes again; ours may have been lost
        inv = self.fresh("inv")
        self.branch_to(inv, "value", "asked", "INVITE")
        self.goto(name)
        self.label(inv)
        self.send("ACK [$target] SIP/2.0",
                  ["Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-again-[call_number]", "Max-Forwards: 70",
                   "[routes]", "From: [$us]", "To: [$them]", "Call-ID: [call_id]", "CSeq: [$again] ACK"], to=name)
        self.label(end)
        if bye == "challenge":
            self.last("401 Unauthorized", then, ['WWW-Authenticate: Digest realm="test", nonce="bye", algorithm=MD5'])
        elif bye == "late":  # answered, but not at once
            late, gone, more = end + "_late", end + "_gone", end + "_more"
            wait = end + "_wait"
            self.label(wait)
            self.recv("INVITE", gone, timeout=(1200, late))
            self.recv("ACK", wait)
            self.recv("BYE", more, optional=False)
            self.label(late)
            self.kept("b", "200 OK", to=then)
            self.label(more)
            self.last("200 OK", then)
            self.label(gone)
            self.last("481 No such call", wait)
        else:
            self.last("200 OK", then)

    def over(self):
        """The peer has no such call any more."""
        self.label("over")
        for method in ("INVITE", "BYE", "INFO", "OPTIONS", "UPDATE", "CANCEL"):
            self.recv(method, "over_no")
        self.recv("ACK", "over")
        for status in (100, 180, 200, 481, 487, 491, 500):
            self.recv(status, "over")
        for cue in ("HOLD", "UNHOLD", "UPDATE", "INFO", "BYE", "CANCEL", "ANSWER"):
            self.recv("CUE-" + cue, "over")
        self.recv("CUE-END", "end", optional=False)
        self.label("over_no")
        self.last("481 No such call", "over")

    def text(self):
        variables = ",".join(sorted(self.variables | {"us", "them", "target"}))
        body = "\n".join(self.parts)
        return (f'<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="proof">\n{body}\n'
                f'<label id="end"/>\n<nop/>\n<Reference variables="{variables}"/>\n</scenario>\n')


def in_dialog(w, extra, bye, asks):
    asks = [*asks, "BYE"]
    if bye == "challenge":
        w.loop("loop", asks, "challenge", "loop2")
        w.loop("loop2", [])
    else:
        w.loop("loop", asks, bye)
    for name in asks:
        method, direction = {"HOLD": ("INVITE", "sendonly"), "UNHOLD": ("INVITE", "sendrecv")}.get(name, (name, None))
        sdp = SDP.format(version=3 if direction == "sendonly" else 1, direction=direction) if direction else None
        w.ask(name, method, "over" if name == "BYE" else "loop", "over", sdp)
    w.reinvites(extra, "loop2_end" if bye == "challenge" else "loop_end")
    w.over()
    text = w.text()
    if len(text) > SIZE_MAX:
        raise ValueError(f"{len(text)} bytes are too many for sipp")
    return text


def called(asks=(), proxied=False, waits=True, challenge=None, bye="ok", extra="X-Peer: sipp"):
    """The peer is called. It rings until CUE-ANSWER; without `waits` it answers at once."""
    w = Writer(proxied)
    w.variables |= {"us", "them", "target"}
    first = w.keep("i") + w.take("target", "Contact", "sips?:[^>]*")
    first += w.take("them", "From")
    if challenge:
        w.recv("INVITE", optional=False, actions=first, rrs=True)
        field = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[challenge]
        w.last(f"{challenge} Who are you", extra=[f'{field}: Digest realm="test", nonce="abc", algorithm=MD5'], tag=";tag=challenge")
        w.label("challenged")
        w.recv("ACK", "challenged")
        w.recv("CANCEL", "over_no")
    w.recv("INVITE", optional=False, actions=first, rrs=True)
    tag = ";tag=peer[call_number]"
    w.label("ring")
    w.kept("i", "180 Ringing", tag)
    if waits:
        w.label("ringing")
        w.recv("CANCEL", "cancelled")
        w.recv("BYE", "gone")
        w.recv("CUE-ANSWER", optional=False)
    w.label("answer")
    w.kept("i", "200 OK", tag, [extra], SDP.format(version=1, direction="sendrecv"))
    w.until_acked("i", "answer", "answered", "gone", tag)
    w.label("cancelled")
    w.last("200 OK", tag=tag)
    w.label("terminated")
    w.kept("i", "487 Request Terminated", tag)
    w.recv("CANCEL", "cancelled", timeout=(RESEND_MS, "terminated"))
    w.recv("CUE-END", "end")  # without the ACK it is over too (section 17.2.1, timer H)
    w.recv("ACK", "over", optional=False)
    w.label("gone")
    w.last("200 OK", "over")
    w.label("answered")
    w.parts.append("<nop><action>" + '<assignstr assign_to="us" value="[$ito];tag=peer[call_number]"/>' + "</action></nop>")
    return in_dialog(w, extra, bye, asks)


def calling(asks=(), proxied=False, bye="ok", extra="X-Peer: sipp"):
    """The peer calls the phone (key: phone)."""
    w = Writer(proxied)
    own = '"Bob" <sip:bob@[local_ip]:[local_port]>;tag=peer[call_number]'

    def early(method, branch, to="<sip:alice@[phone]>", sdp=None, next_=None):
        w.send(f"{method} sip:alice@[phone] SIP/2.0",
               [f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-{branch}-[call_number]", "Max-Forwards: 70",
                f"From: {own}", f"To: {to}", "Call-ID: [call_id]", f"CSeq: 1 {method}", CONTACT, ALLOW, "Supported: timer",
                extra if method == "INVITE" else ""], sdp, next_)

    answered = (w.take("us", "From") + w.take("them", "To") + w.take("target", "Contact", "sips?:[^>]*"))
    def waiting(name, cue, again=None, to=None):
        w.label(name)
        w.recv(100, "calling" if cue else name, timeout=(RESEND_MS, again) if again else None)
        for status in (180, 183):
            w.recv(status, "calling" if cue else name)
        for status in (*REFUSALS, 500):
            w.recv(status, "refused", actions=w.take("them", "To"))
        if cue:
            w.recv("CUE-CANCEL", "cancel")
        w.recv(200, to, optional=False, actions=answered + w.take("asked", "CSeq", "[A-Z]+"), rrs=True)

    w.label("call")
    early("INVITE", "first", sdp=SDP.format(version=1, direction="sendrecv"))
    waiting("called", True, "call")
    w.goto("ack")
    waiting("calling", True)
    w.label("ack")
    w.request("ACK", 1, "first-ack", to="loop")
    w.label("cancel")
    early("CANCEL", "first")
    waiting("unheard", False, "cancel", to="cancelling")  # a 2xx to the INVITE comes again
    waiting("cancelling", False)
    w.branch_to("ack", "value", "asked", "INVITE")
    w.goto("cancelling")
    w.label("refused")
    early("ACK", "first", to="[$them]", next_="over")
    return in_dialog(w, extra, bye, asks)
