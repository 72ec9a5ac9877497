"""The far end of one call: a sipp of its own, with a scenario that obliges whatever order a killed phone brings about."""

import os
import socket
import subprocess

from lib.process import Process, listening

CUES = ("BYE", "HOLD", "UNHOLD", "INFO")
RTP_PORT = 16000
LINGER_MS = 3000

ANSWER = """
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      {to}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:peer@[local_ip]:[local_port]>
      Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE
      Supported: timer
"""
REQUEST = """
      {method} [$target] SIP/2.0
      Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[name]-{cseq}{mark}
      Max-Forwards: 70
      From: [$us]
      To: [$them]
      Call-ID: [call_id]
      CSeq: {cseq} {method}
      Contact: <sip:peer@[local_ip]:[local_port]>
"""
# To the newest offer, whatever came after it.
ANSWER_AGAIN = """
      SIP/2.0 200 OK
      Via: [$offer_via]
      From: [$them]
      To: [$us]
      Call-ID: [call_id]
      CSeq: [$offer_cseq]
      Contact: <sip:peer@[local_ip]:[local_port]>
      Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE
      Supported: timer
"""
NO_BODY = """      Content-Length: 0

"""
BODY = """      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=sipp 4711 {version} IN IP4 [media_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
      a={direction}

"""


def send(text, attributes=""):
    return f"<send{' ' if attributes else ''}{attributes}><![CDATA[\n{text}\n]]></send>\n"


def answer(status, body=NO_BODY, to="[last_To:]", **attributes):
    return send(ANSWER.format(status=status, to=to) + body, attribute_text(attributes))


def request(method, body=NO_BODY, cseq="[$cseq]", mark="", **attributes):
    """sipp's own [cseq] follows the phone's, and its [branch] comes again with each turn of the loop: both come from the
    cue instead."""
    return send(REQUEST.format(method=method, cseq=cseq, mark=mark) + body, attribute_text(attributes))


def ack(cseq="[last_cseq_number]", mark="-ack", **attributes):
    """Of a 2xx. The ACK of a refusal has the branch of its INVITE."""
    return request("ACK", cseq=cseq, mark=mark, **attributes)


def attribute_text(attributes):
    return " ".join(f'{key}="{value}"' for key, value in attributes.items())


def label(name):
    return f'<label id="{name}"/>\n'


def receive(what, next_label=None, optional=True, action="", **attributes):
    kind = "response" if what.isdigit() else "request"
    more = {kind: what, **({"optional": "true"} if optional else {}), **({"next": next_label} if next_label else {}),
            **attributes}
    inside = f"<action>{action}</action>" if action else ""
    return f"<recv {attribute_text(more)}>{inside}</recv>\n"


def header(name, variable, regexp="[^ ].*"):
    return f'<ereg regexp="{regexp}" search_in="hdr" header="{name}:" assign_to="{variable}"/>'


# Every answer mirrors its offer, and each description has a version of its own. Looked up, because a decision made in
# steps of the scenario takes milliseconds, and what comes meanwhile takes the place of the request to be answered.
MIRRORS = """SEQUENTIAL
offer;sendrecv;1
offera=sendonly;recvonly;2
offera=recvonly;sendonly;3
offera=inactive;inactive;4
"""
OFFERED = ('<ereg regexp="a=(sendonly|recvonly|inactive)|$" search_in="body" assign_to="offered"/>'
           '<lookup assign_to="mirror" file="mirrors.csv" key="offer[$offered]"/>'
           + header("Via", "offer_via") + header("CSeq", "offer_cseq"))
LATE = header("CSeq", "late_to", "(INVITE|INFO|OPTIONS|BYE)")


def mirrored():
    def field(n):
        return f'[field{n} file="mirrors.csv" line="[$mirror]"]'
    body = BODY.format(version=field(2), direction=field(1))
    text = label("reinvite") + answer("200 OK", body, next="unconfirmed")
    return text + label("say_again") + send(ANSWER_AGAIN + body, attribute_text({"next": "unconfirmed"})) + unconfirmed()


def unconfirmed():
    """A 200 without its ACK is said again, and no offer of our own comes before that (RFC 3261 sections 13.3.1.4, 14.1)."""
    here = "unconfirmed"
    text = label(here) + receive("ACK", "loop", timeout=500, ontimeout="say_again")
    text += receive("INVITE", "reinvite", action=OFFERED)
    text += "".join(receive(m, f"{here}_ok") for m in ("INFO", "OPTIONS", "UPDATE"))
    text += receive("200", f"{here}_late", action=LATE)
    text += "".join(receive(f"CUE-{c}", here) for c in CUES) + receive("BYE", "say_goodbye", optional=False)
    return text + label(f"{here}_ok") + answer("200 OK", next=here) + late(f"{here}_late", here)


def late(here, back):
    """A phone that died before our ACK reached it repeats its 200."""
    return (label(here) + '<nop><action><strcmp assign_to="not_invite" variable="late_to" value="INVITE"/>'
            '<test assign_to="to_invite" variable="not_invite" compare="equal" value="0"/></action></nop>\n'
            f'<nop next="{here}_invite" test="to_invite"/>\n<nop next="{back}"/>\n'
            + label(f"{here}_invite") + ack(mark="-again", next=back))


def asks(cue, method, body=NO_BODY):
    """What a cue makes the peer say. It says it again every 500 ms until an answer comes, and after a 100 not for 8 s.
    Meanwhile it answers what comes, an offer with 491. (With retrans= sipp would send nothing else until then.)"""
    here = f"say_{cue}"
    waiting, proceeding = f"{here}_waiting", f"{here}_proceeding"
    text = label(here) + request(method, body)
    for state, patience_ms in ((waiting, 500), (proceeding, 8000)):
        text += label(state) + receive("100", proceeding, timeout=patience_ms, ontimeout=here)
        text += receive("491", f"{here}_refused") + receive("500", f"{here}_refused")
        text += receive("INVITE", f"{state}_glare") + receive("ACK", state)
        text += "".join(receive(m, f"{state}_ok") for m in ("INFO", "OPTIONS", "UPDATE"))
        text += "".join(receive(f"CUE-{c}", state) for c in CUES)
        text += receive("BYE", "say_goodbye") + receive("200", f"{here}_done", optional=False)
        text += label(f"{state}_glare") + answer("491 Request Pending", next=state)
        text += label(f"{state}_ok") + answer("200 OK", next=state)
    nothing = '<nop next="loop"/>\n'
    text += label(f"{here}_refused") + (ack(mark="", next="loop") if method == "INVITE" else nothing)
    text += label(f"{here}_done") + (ack(next="loop") if method == "INVITE" else nothing)
    return text


def loop():
    text = label("loop")
    text += receive("INVITE", "reinvite", action=OFFERED)
    text += "".join(receive(m, "ok") for m in ("INFO", "OPTIONS", "UPDATE")) + receive("ACK", "loop")
    text += receive("200", "late", action=LATE)
    text += "".join(receive(f"CUE-{c}", f"say_{c.lower()}", action=header("CSeq", "cseq", "[0-9]+")) for c in CUES)
    text += receive("BYE", optional=False)
    text += label("say_goodbye") + answer("200 OK", next="end")
    text += label("ok") + answer("200 OK", next="loop")
    text += late("late", "loop")
    text += mirrored()
    text += asks("hold", "INVITE", BODY.format(version=3, direction="sendonly"))
    text += asks("unhold", "INVITE", BODY.format(version=1, direction="sendrecv"))
    text += asks("info", "INFO")
    text += label("say_bye") + request("BYE")
    text += label("bye_waiting") + receive("INVITE", "bye_waiting", timeout=500, ontimeout="say_bye")
    text += "".join(receive(m, "bye_waiting") for m in ("ACK", "INFO", "OPTIONS", "UPDATE"))
    text += "".join(receive(f"CUE-{c}", "bye_waiting") for c in CUES) + receive("BYE", "say_goodbye")
    text += receive("481", "end") + receive("200", optional=False)  # 481: the phone died between record and answer
    # For a while it tells a phone that died before it took note of the end.
    text += label("end") + receive("BYE", "no_such_call", timeout=LINGER_MS, ontimeout="gone")
    text += "".join(receive(f"CUE-{c}", "end") for c in CUES)
    text += receive("ACK", "end") + receive("INVITE", optional=False)
    text += label("no_such_call") + answer("481 Call Does Not Exist", next="end")
    return text + label("gone") + "<nop/>\n"


def called(ring_ms):
    """180, a while of ringing, 200 until the ACK comes."""
    plain = BODY.format(version=1, direction="sendrecv")
    text = receive("INVITE", optional=False, action=header("From", "them") + header("Contact", "target", "sips?:[^>]*"))
    text += answer("180 Ringing", to="[last_To:];tag=peer[call_number]")
    text += f'<pause milliseconds="{ring_ms}"/>\n' if ring_ms else ""
    text += answer("200 OK", plain, to="[last_To:];tag=peer[call_number]", retrans=500)
    return text + receive("ACK", optional=False, action=header("To", "us"))


def calling():
    plain = BODY.format(version=1, direction="sendrecv")
    first = REQUEST.format(method="INVITE", cseq="1", mark="")
    first = first.replace("[$target]", "sip:alice@[phone]").replace("[$us]", "<sip:[name]@[local_ip]:[local_port]>;tag=peer1")
    text = send(first.replace("[$them]", "<sip:alice@[phone]>") + plain, "retrans=\"500\"")
    text += receive("100") + receive("180")
    text += receive("200", optional=False, action=header("From", "us") + header("To", "them")
                    + header("Contact", "target", "sips?:[^>]*"))
    return text + ack()


def scenario(begin):
    return f'<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="soak">\n{begin}{loop()}</scenario>\n'


class Peer:
    """`calls`: whether it calls the phone, or waits to be called."""

    def __init__(self, directory, name, address, phone, calls, ring_ms=0):
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        self.name = name
        self.address = address
        self.uri = f"sip:{name}@{address}:5060"
        self.cseq = 1_000_000
        with open(os.path.join(self.directory, "peer.xml"), "w", encoding="ascii") as file:
            file.write(scenario(calling() if calls else called(ring_ms)))
        with open(os.path.join(self.directory, "mirrors.csv"), "w", encoding="ascii") as file:
            file.write(MIRRORS)
        self.process = Process("sipp", [
            "sipp", *([phone] if calls else []), "-sf", "peer.xml", "-inf", "mirrors.csv", "-infindex", "mirrors.csv", "0", "-i", address, "-p", 5060, "-t", "u1", "-m", 1,
            "-cid_str", f"{name}-%u-%p@%s", "-mi", address, "-mp", RTP_PORT, "-rtp_echo", "-nostdin", "-nd", "-default_behaviors", "none",
            "-key", "phone", phone, "-key", "name", name, "-trace_err", "-error_file", "errors"],
            self.directory, stdout=subprocess.DEVNULL)

    def listening(self):
        return listening("udp", self.address, 5060)

    def cue(self, what, call_id):
        """Tells the scenario to go on: a message CUE-<what> of the same call, which only sipp sees."""
        self.cseq += 1
        lines = [f"CUE-{what} sip:cue SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.99;branch=z9hG4bKcue", "From: <sip:cue>;tag=1",
                 "To: <sip:cue>", f"Call-ID: {call_id}", f"CSeq: {self.cseq} CUE-{what}", "Content-Length: 0", "", ""]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
            speaker.bind(("127.0.0.99", 0))
            speaker.sendto("\r\n".join(lines).encode(), (self.address, 5060))

    def errors(self, last=1000):
        text = ""
        for name in ("errors", "sipp.log"):
            try:
                with open(os.path.join(self.directory, name), encoding="utf-8", errors="replace") as file:
                    text += file.read()[-last:]
            except FileNotFoundError:
                pass
        return text

    def remove(self):
        for name in os.listdir(self.directory):
            os.remove(os.path.join(self.directory, name))
        os.rmdir(self.directory)
