"""Strangers, fuzz and absurd files beside a call that goes on: the call is untouched, the phone lives, and a name from the
network cannot write on the terminal."""

import json
import os
import random
import re
import socket
import sys
import time

from lib import checks, story
from lib.far_end import FarEnd
from lib.nameserver import A, NameServer, ResolvConf, asked_for
from lib.process import listening
from lib.waiting import check, until

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stranger import Stranger, a_call, request, untouched  # noqa: E402
from streams import streams  # noqa: E402, F401

VARIANTS = ["sip", "sdp", "answers", "contacts", "out_of_reach", "unsent_cancel", "unsent_invite", "late_ringing", "streams", "probes", "rtp", "names",
            "journal"]


def run(env):
    globals()[env.variant](env)


def sip(env):
    """Malformed SIP, and requests of strangers that claim to belong to the call."""
    phone, peer, call_id = a_call(env)
    eve, here = Stranger(), (phone.address, phone.port)
    seed = random.Random(4475)
    good = request("INVITE", "fuzz", b"v=0\r\no=- 1 1 IN IP4 127.0.0.66\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n")
    for _ in range(300):
        data = bytearray(good)
        for _ in range(seed.randrange(1, 20)):
            data[seed.randrange(len(data))] = seed.randrange(256)
        eve.send(bytes(data[:seed.randrange(1, len(data) + 1)]), here)
    for data in (b"", b"\0" * 4, b"\r\n\r\n", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 1400,
                 b"INVITE sip:a@b SIP/2.0\r\n" + b"Via: x\r\n" * 150 + b"\r\n",
                 request("INVITE", "a" * 1000), request("INVITE", headers="Content-Length: 99999999\r\n"),
                 request("INVITE", headers="CSeq: 99999999999999999999 INVITE\r\n"), request("BYE", call_id),
                 request("INVITE", call_id), request("CANCEL", call_id),
                 request("BYE", call_id).replace(b"To: <sip:alice@127.0.0.1>", b"To: <sip:alice@127.0.0.1>;tag=guess")):
        eve.send(data, here)
    eve.send(request("OPTIONS", "last-of-the-fuzz"), here)
    env.capture.wait("an answer to the last request", lambda m: m.call_id == "last-of-the-fuzz" and m.status is not None)
    check(not phone.seen("call.ended", call=1), "a stranger ended the call")
    check(len(phone.seen("call.established")) == 1, "a stranger was answered")
    for event in phone.seen("call.incoming"):
        phone.send(f"decline {event['call']}")
    untouched(env, phone, peer, call_id)


def sdp(env):
    """Absurd offers from strangers: none is answered by itself, none hurts."""
    phone, peer, call_id = a_call(env)
    eve, here = Stranger(), (phone.address, phone.port)
    head = b"v=0\r\no=- 1 1 IN IP4 127.0.0.66\r\ns=-\r\n"
    offers = [b"v=9", b"\0\xff\xfe", head, head + b"m=audio 99999999 RTP/AVP 0\r\n", head + b"m=audio 0 RTP/AVP 0\r\n",
              head + b"c=IN IP4 999.1.1.1\r\nm=audio 9 RTP/AVP 0\r\n", head + b"c=IN IP6 ::1\r\nm=audio 9 RTP/AVP 0\r\n",
              head + b"m=audio 9 RTP/AVP " + b"0 " * 500 + b"\r\n", head + b"m=audio 9 RTP/AVP 999\r\n",
              head + b"m=video 9 RTP/AVP 31\r\n", head + b"m=audio -1 RTP/AVP 0\r\n",
              head + b"c=IN IP4 127.0.0.66\r\nm=audio 9 RTP/AVP 0\r\na=ptime:0\r\na=rtpmap:0 X/0\r\n",
              head + b"c=IN IP4 127.0.0.66\r\nm=audio 9 RTP/AVP 0\r\na=ptime:99999999\r\n",
              head + b"m=audio 9 RTP/AVP 0\r\n" * 40]
    for n, offer in enumerate(offers):
        eve.send(request("INVITE", f"offer{n}", offer), here)
    eve.send(request("OPTIONS", "last-of-the-offers"), here)
    env.capture.wait("an answer to the last request", lambda m: m.call_id == "last-of-the-offers" and m.status is not None)
    for event in phone.seen("call.incoming"):
        phone.send(f"answer {event['call']}")
    phone.send("calls")
    phone.wait("ok", command="calls")
    for event in phone.seen("call.incoming"):
        eve.take_part(env, phone, event)
    check(not phone.seen("call.ended", call=1), "an offer ended the call")
    eve.send(request("INVITE", "good", head + b"c=IN IP4 127.0.0.66\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"), here)
    answer = env.capture.wait("an answer to a good offer", lambda m: m.call_id == "good" and (m.status or 0) > 100)
    check(answer.status == 180, f"a good offer after the bad ones got {answer.first_line}")
    phone.send(f"decline {phone.wait('call.incoming', call_id='good')['call']}")
    untouched(env, phone, peer, call_id)


def answers(env):
    """Somebody whom the phone calls, and whose answers make no sense: to what was not asked, or not yet, or long ago."""
    phone, peer, call_id = a_call(env)
    eve, here, seed = Stranger(), (phone.address, phone.port), random.Random(4475)
    called = {call_id}
    for _ in range(12):
        phone.send(f"call sip:eve@127.0.0.66:{eve.socket.getsockname()[1]}")
        invite = env.capture.wait("the INVITE", lambda m: m.method == "INVITE" and m.is_request and m.call_id not in called)
        called.add(invite.call_id)
        phone.send(f"bye {phone.wait('call.calling', call_id=invite.call_id)['call']}")
        phone.do("calls")
        eve.answer(invite, 200, "CANCEL", here)  # it waits for an answer to the INVITE, and is not sent
        for _ in range(20):
            eve.answer(invite, seed.choice((100, 180, 183, 200, 202, 302, 401, 422, 481, 491, 503, 699)),
                       seed.choice(("INVITE", "INVITE", "CANCEL", "PRACK", "BYE", "ACK", "INFO", "OPTIONS", "X")), here,
                       tag=seed.choice(("", ";tag=a", ";tag=b")), cseq=seed.choice((invite.cseq, seed.randrange(9))),
                       more=seed.choice(("", "", "Require: 100rel\r\nRSeq: 7\r\n", "Session-Expires: 90\r\n")))
    eve.send(request("OPTIONS", "last-of-the-answers"), here)
    env.capture.wait("an answer to the last request", lambda m: m.call_id == "last-of-the-answers" and m.status is not None)
    check(not phone.seen("call.ended", call=1), "an answer ended the other call")
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id, stranger="127.0.0.66")
    phone.kill9()  # the calls to Eve do not end


def contacts(env):
    """Addresses that nobody can send to: in an INVITE 400, in an answer the call ends with a word, in a record it is corrupt.
    Methods that the phone does not have are refused, and INFO of no call."""
    phone, peer, call_id = a_call(env)
    eve, here = Stranger(), (phone.address, phone.port)
    bad = ["tel:+4930123", "sips:eve@127.0.0.66", "sip:eve@127.0.0.66:0", "sip:eve@127.0.0.66;transport=tls"]
    def refused(name, data, status):
        eve.send(data.replace(b"Call-ID: x", b"Call-ID: " + name.encode()), here)
        answer = env.capture.wait(f"an answer to {name}", lambda m: m.call_id == name and (m.status or 0) >= 200)
        check(answer.status == status, f"{name} got {answer.first_line}, not {status}")
    for n, uri in enumerate(bad):
        contact = request("INVITE").replace(b"Contact: <sip:eve@127.0.0.66>", b"Contact: <" + uri.encode() + b">")
        refused(f"contact{n}", contact, 400)
        refused(f"route{n}", request("INVITE", headers=f"Record-Route: <{uri};lr>\r\n"), 400)
    for method, status in (("REFER", 405), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("NOTIFY", 405), ("REGISTER", 405),
                           ("PUBLISH", 405), ("INFO", 481), ("UPDATE", 481), ("PRACK", 481), ("BYE", 481)):
        refused(method, request(method, headers="Refer-To: <sip:x@127.0.0.66>\r\nEvent: x\r\n"), status)
    refused("cseq", request().replace(b"CSeq: 1 ", b"CSeq: 2147483648 "), 400)
    called = {call_id}
    for uri in bad:
        phone.send(f"call sip:eve@127.0.0.66:{eve.socket.getsockname()[1]}")
        invite = env.capture.wait("the INVITE", lambda m: m.method == "INVITE" and m.is_request and m.call_id not in called
                                  and phone.from_here(m))
        called.add(invite.call_id)
        sdp = b"v=0\r\no=- 1 1 IN IP4 127.0.0.66\r\ns=-\r\nc=IN IP4 127.0.0.66\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        fields = "".join(f"{name}: {invite.get(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
        eve.send((f"SIP/2.0 200 OK\r\n{fields}To: {invite.get('To')};tag=e\r\nContact: <{uri}>\r\n"
                  f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n").encode() + sdp, here)
        phone.wait("call.failed", call_id=invite.call_id)
        env.capture.wait("the BYE", lambda m: m.method == "BYE" and m.is_request and m.call_id == invite.call_id)
    untouched(env, phone, peer, call_id)


def out_of_reach(env):
    """Addresses that others can send to, and the phone's only listener (IPv4, UDP) cannot: 400 when they come in an INVITE, a
    re-INVITE or an UPDATE; an answer ends the call with a word, and in a call is told of. Behind a proxy they do not matter."""
    phone = env.phone()
    phone.base[phone.base.index("--listen") + 1] += ";transport=udp"
    phone.start()
    far = FarEnd(env)
    good, bad = far.uri, {"sip:far@[2001:db8::1]": "IPv6", "sip:far@127.0.0.2;transport=tcp": "TCP"}
    far.to = (phone.address, phone.port)
    def begins(name, uri, headers=""):
        data = request("INVITE", name, headers=headers).replace(b"<sip:eve@127.0.0.66>\r\n", f"<{uri}>\r\n".encode())
        far.socket.sendto(data.replace(b"127.0.0.66:5060", b"127.0.0.2:5060"), far.to)
        return far.take(lambda m: m.call_id == name and (m.status or 0) > 100).status
    for n, uri in enumerate(bad):
        check(begins(f"contact{n}", uri) == 400, f"an INVITE from {uri} was taken")
        check(begins(f"route{n}", good, f"Record-Route: <{uri};lr>\r\n") == 400, f"a route by {uri} was taken")
        check(begins(f"proxied{n}", uri, f"Record-Route: <{good};lr>\r\n") == 180, f"{uri} behind a proxy was refused")
        phone.do(f"decline {phone.wait('call.incoming', call_id=f'proxied{n}')['call']}")
    for uri, word in bad.items():
        phone.send(f"call {good}")
        invite = far.take("INVITE")
        far.uri = uri
        far.answer(invite, 200, sdp=True)
        far.uri = good
        far.take("ACK")
        far.answer(far.take("BYE"), 200)
        failed = phone.wait("call.failed", call_id=invite.call_id)
        check(f"its Contact {'is' if word == 'IPv6' else 'asks for'} {word}, and" in failed["text"], f"not said why: {failed}")
    number = phone.seen("call.failed")[-1]["call"] + 1
    invite = far.called(env, phone, number)
    for uri in bad:
        for method in ("INVITE", "UPDATE"):
            far.uri = uri
            cseq = far.request(method, invite)
            status = far.take(lambda m, cseq=cseq: m.cseq == cseq and (m.status or 0) >= 200).status
            check(status == 400, f"a {method} from {uri} got {status}")
    for command in ("hold", "unhold"):
        phone.send(f"{command} {number}")
        held = far.take("INVITE")
        check(held.first_line.startswith(f"INVITE {good} "), f"it went to {held.first_line}")
        far.answer(held, 200, sdp=True)  # with an address out of reach
        far.take("ACK")
        phone.wait("ok", command=f"{command} {number}")
    phone.send(f"bye {number}")
    bye = far.take("BYE")
    check(bye.first_line.startswith(f"BYE {good} "), f"it went to {bye.first_line}")
    far.answer(bye, 200)
    phone.wait("call.ended", call=number)
    phone.quit()


def unsent_cancel(env):
    """With two listeners: an answer to a CANCEL that has not left, whichever of them the call uses."""
    for n, listens in enumerate((("127.0.0.1:5060", "127.0.0.9:5060"), ("127.0.0.9:5060", "127.0.0.1:5060"))):
        phone = env.phone(name=f"two{n}")
        phone.base[phone.base.index("--listen") + 1] = listens[0]
        phone.options = ["--listen", listens[1]]
        phone.start()
        eve = Stranger(f"127.0.0.{66 + n}")
        phone.send(f"call sip:eve@{eve.socket.getsockname()[0]}:{eve.socket.getsockname()[1]}")
        phone.wait("call.calling")
        invite = env.capture.wait("the INVITE", lambda m: m.is_request and m.destination == eve.socket.getsockname())
        phone.send("bye 1")
        phone.do("calls")
        eve.answer(invite, 200, "CANCEL", invite.source, tag=";tag=x")
        phone.do("calls")
        phone.kill9()  # its INVITE has no answer


def unsent_invite(env):
    """An answer to a re-INVITE that has not left, because the name that it goes to is not found yet: the peer knows what its
    branch, CSeq and tags will be."""
    server = NameServer(env, {("far.example", A): ["127.0.0.2"]}, mode="silent")
    ResolvConf(env, server.address)
    phone, far = env.phone().start(), FarEnd(env)
    invite = far.called(env, phone)
    far.uri = "sip:far@far.example:5060"
    cseq = far.request("UPDATE", invite)
    far.take(lambda m: m.status == 200 and m.cseq == cseq)
    phone.send("hold 1")
    asked_for(server, "far.example")
    branch = re.search(r";branch=([^;,]+)", invite.get("Via")).group(1)
    following = branch.rpartition(".")[0] + f".{invite.cseq + 1}"
    fields = (f"Via: {invite.get('Via').replace(branch, following)}\r\nFrom: {invite.get('From')}\r\n"
              f"To: {invite.get('To')};tag=far\r\nCall-ID: {invite.get('Call-ID')}\r\nCSeq: {invite.cseq + 1} INVITE\r\n")
    for status in (486, 500, 302, 401, 100, 183, 200):
        far.socket.sendto(f"SIP/2.0 {status} X\r\n{fields}Content-Length: 0\r\n\r\n".encode(), far.to)
    phone.do("calls")
    server.set("answers")
    held = far.take("INVITE", 15)
    check(f"{following};" in held.get("Via") + ";", f"the branch was to be {following}: {held.get('Via')}")
    far.answer(held, 200, sdp=True)
    far.take("ACK", 15)
    phone.wait("call.held", call=1)
    phone.send("bye 1")
    far.answer(far.take("BYE", 15), 200)
    phone.wait("call.ended", call=1)
    phone.quit()


def late_ringing(env):
    """A provisional answer behind the final one, as datagrams overtake each other, of an INVITE and of a re-INVITE, over UDP and
    over TCP: the 2xx is acknowledged."""
    phone, far = env.phone().start(), FarEnd(env, tcp=True)
    def answered_late(invite):
        phone.process.freeze()  # so that it reads both at once
        far.answer(invite, 200, sdp=True)
        far.answer(invite, 180)
        phone.process.thaw()
        far.take("ACK")
    for number, transport in enumerate(("", ";transport=tcp"), 1):
        phone.send(f"call {far.uri}{transport}")
        answered_late(far.take("INVITE"))
        phone.wait("call.established", call=number)
        story.settled(phone, number)
        phone.send(f"hold {number}")
        answered_late(far.take("INVITE"))
        phone.wait("call.held", call=number)
        phone.send(f"bye {number}")
        far.answer(far.take("BYE"), 200)
        phone.wait("call.ended", call=number)
    phone.quit()


def probes(env):
    """STUN, SigComp and noise at the SIP port get no answer, and nothing is printed."""
    phone, peer, call_id = a_call(env)
    eve, here = Stranger(), (phone.address, phone.port)
    for data in (b"\0\1\0\0\x21\x12\xa4\x42" + b"a" * 12, b"\0" * 20, b"\1\1" + b"\0" * 18, b"\0\1\xff\xff" + b"x" * 1400,
                 b"\1", b"\0", b"\xf8" + b"\0" * 40, b"\xff" * 30, b"\0\1\0\x08" + b"b" * 16 + b"\0\3\0\4\0\0\0\6"):
        eve.send(data, here)
    eve.socket.settimeout(5)
    eve.send(request(call_id="after-the-probes"), here)
    check(b"after-the-probes" in eve.socket.recv(65536), "a probe was answered")
    with open(phone.process.log_path, encoding="utf-8") as log:
        strange = [line for line in log if not line.startswith(("{", "> ", "$ "))]
    check(not strange, f"the phone printed {strange}")
    untouched(env, phone, peer, call_id)


def rtp(env):
    """RTP from strangers, with the right numbers too, and garbage, to the port of the call."""
    phone, peer, call_id = a_call(env)
    stream = env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    port = stream[0].source
    eve, seed = Stranger(), random.Random(1)
    for n in range(500):
        header = bytes([0x80, 0]) + n.to_bytes(2, "big") + (160 * n).to_bytes(4, "big") + b"EVIL"
        eve.send(header + bytes([seed.randrange(256)]) * 160, port)
        eve.send(bytes(seed.randrange(256) for _ in range(seed.randrange(1, 60))), port)
        eve.send(b"\x80\xc8" + bytes(seed.randrange(256) for _ in range(26)), (port[0], port[1] + 1))
    since = time.time()
    env.capture.wait_rtp("to the peer", lambda r: r.source == port and r.destination[0] == peer.address, 50, since=since)
    check(not [r for r in env.capture.rtp if r.source == port and r.destination[0] == "127.0.0.66"],
          "the call's audio went to a stranger")
    checks.one_stream(checks.rtp_from(env.capture, phone))
    untouched(env, phone, peer, call_id)


def names(env):
    """A display name with terminal escapes and line ends in it: one line, no control characters, in JSON and in text."""
    phone = env.phone().start()
    eve = Stranger()
    evil = b'"\x1b]0;owned\x07\x1b[2J\xc2\x9b31mBob\\\n"'
    data = request("INVITE", "names", b"v=0\r\no=- 1 1 IN IP4 127.0.0.66\r\ns=-\r\nc=IN IP4 127.0.0.66\r\nt=0 0\r\n"
                   b"m=audio 9 RTP/AVP 0\r\n").replace(b"From: ", b"From: " + evil + b" ")
    eve.send(data.replace(b"\\\n", b""), (phone.address, phone.port))
    event = phone.wait("call.incoming")
    check("Bob" in event["remote"], f"the name is not there at all: {event}")
    check(not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in event["remote"] + event["text"]),
          f"control characters in {event}")
    phone.do("calls")
    phone.do("decline 1")
    with open(phone.process.log_path, "rb") as log:
        check(b"\x1b]0;owned" not in log.read(), "the escape reached the output")
    phone.quit()

    text = env.process("text", [env.binary, *[a for a in phone.arguments() if a != "--json"], "-c", "wait incoming 10s",
                                "-c", "calls", "-c", "decline 1"])
    until(lambda: listening("udp", phone.address, phone.port), 5, "the phone to listen")
    eve.send(data.replace(b"\\\n", b"").replace(b"names", b"names2"), (phone.address, phone.port))
    text.wait_exit(15)
    log = text.log()
    check("Bob" in log, f"the name is not there at all:\n{log}")
    check("\x1b" not in log and "\x07" not in log and "\x9b" not in log, f"control characters in the text:\n{log!r}")


def journal(env):
    """Absurd records beside a good one: named and set aside, never deleted, and the good call comes back."""
    phone, peer, call_id = a_call(env)
    phone.kill9()
    directory = os.path.dirname(phone.record_path())
    good = json.dumps(phone.record())
    newer = json.dumps({**phone.record(), "schema": 4711})
    absurd = {"2.json": b"", "3.json": b"{", "4.json": b"\0" * 5000, "5.json": b"[" * 20000,
              "6.json": good[:len(good) // 2].encode(), "7.json": b'{"schema":1}', "8.json": newer.encode(),
              "9.json": good.replace('"schema"', '"Schema"').encode(), "notes.txt": b"hello", "99999999999.json": b"{}"}
    for name, data in absurd.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
    os.mkdir(os.path.join(directory, "10.json"))
    phone.start()
    phone.wait("call.restored", call=1)
    story.reinvite(phone, "1")
    for name, data in absurd.items():
        kept = [n for n in os.listdir(directory) if n == name or n.startswith(name)]
        check(kept, f"{name} was deleted")
        with open(os.path.join(directory, kept[0]), "rb") as file:
            check(file.read() == data, f"{name} was changed")
    corrupt = [n for n in os.listdir(directory) if n.endswith(".corrupt")]
    check("3.json.corrupt" in corrupt, f"3.json was not set aside: {sorted(os.listdir(directory))}")
    check(len(phone.seen("call.restored")) == 1, "an absurd record was restored")
    phone.do("info 1 hello")
    story.hang_up(env, phone, peer, "phone", call_id)
    phone.quit()
