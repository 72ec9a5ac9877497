"""Descriptions as other programs write them, in offers and in answers: each stream gets its line, what is not needed is not
looked at, of a multipart body the description counts, packets are no longer than the peer allows. The call lives on over a
kill with every one of them: the record has the description byte for byte, and the refresh repeats ours."""

import re
import time

from lib import checks
from lib.far import Far
from lib.waiting import check, until

OFF_FIRST = "m=audio 0 RTP/AVP 0\r\nm=audio 7000 RTP/AVP 0 8\r\n"
TWICE = "m=audio 7000 RTP/AVP 8 121\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:121 PCMA/8000\r\na=gpmd:121 vbd=yes\r\n"
NO_CLOCK = "m=audio 7000 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\na=\r\n"
ODD_VIDEO = "m=audio 7000 RTP/AVP 0\r\nm=video 7002 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n"
SHORT = "m=audio 7000 RTP/AVP 0\r\na=ptime:20\r\na=maxptime:10\r\n"
PLAIN = "m=audio 7000 RTP/AVP 0\r\n"

# What comes, and the m= lines of our answer to it.
OFFERS = {
    "off_first": (OFF_FIRST, ["audio 0 RTP/AVP 0", "audio PORT RTP/AVP 0 8"]),
    "off_last": ("m=audio 7000 RTP/AVP 0 8\r\nm=audio 0 RTP/AVP 0\r\n", ["audio PORT RTP/AVP 0 8", "audio 0 RTP/AVP 0"]),
    "twice": (TWICE, ["audio PORT RTP/AVP 8"]),
    "no_clock": (NO_CLOCK, ["audio PORT RTP/AVP 0"]),
    "odd_video": (ODD_VIDEO, ["audio PORT RTP/AVP 0", "video 0 RTP/AVP 31"]),
    "short": (SHORT, ["audio PORT RTP/AVP 0"]),
    "multipart": (PLAIN, ["audio PORT RTP/AVP 0"]),
}
ANSWERS = {"twice": TWICE, "no_clock": NO_CLOCK, "short": SHORT, "multipart": PLAIN}
VARIANTS = [f"offer_{name}" for name in OFFERS] + [f"answer_{name}" for name in ANSWERS] + ["ipv6", "must_be_understood", "rings", "in_ack"]


def run(env):
    role, _, name = env.variant.partition("_")
    if env.variant == "ipv6":
        refused(env, 488, PLAIN, connection="IN IP6 ::1")
    elif env.variant == "must_be_understood":
        refused(env, 415, PLAIN, name="required")
    elif env.variant == "rings":
        rings(env)
    elif env.variant == "in_ack":
        in_ack(env)
    elif role == "offer":
        offered(env, name, *OFFERS[name])
    else:
        answered(env, name, ANSWERS[name])


def refused(env, status, media, **more):
    phone = env.phone().start(extra=["--auto-answer"])
    far = Far(env, media, **more)
    far.invite(phone)
    answer = env.capture.wait("the refusal", lambda m: m.method == "INVITE" and not m.is_request and m.status >= 200)
    check(answer.status == status, f"{answer}, not {status}")
    phone.quit()


def offered(env, name, media, lines):
    phone = env.phone(audio="tone:440").start(extra=["--auto-answer"])
    far = Far(env, media, name)
    far.invite(phone)
    phone.wait("call.established")
    answer = env.capture.wait("the 200", lambda m: m.method == "INVITE" and m.status == 200)
    ours = re.findall(r"m=(.*)\r\n", answer.sdp.decode())
    port = phone.record()["media"]["local"]["port"]
    check(ours == [line.replace("PORT", str(port)) for line in lines], f"the answer has {ours}")
    lives(env, phone, far, name)


def rings(env):
    """Killed while it rings: the INVITE of several parts is in the record, and answered by the next life."""
    phone = env.phone(audio="tone:440").start()
    far = Far(env, PLAIN, "multipart")
    far.invite(phone)
    env.capture.wait("the 180", lambda m: m.status == 180)
    phone.kill9()
    phone.start()
    phone.wait("call.incoming", call=1)
    phone.send("answer 1")
    phone.wait("call.established", 8)
    sounds(env, "multipart", phone.killed_at)
    check(phone.record()["remote_sdp"] == far.description(), "the record has another description than the peer's")
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    phone.quit()


def in_ack(env):
    """No offer in the INVITE: the answer to ours comes in the ACK, in several parts."""
    phone = env.phone(audio="tone:440").start(extra=["--auto-answer"])
    far = Far(env, PLAIN, "multipart", offers=False)
    far.invite(phone)
    phone.wait("call.established")
    sounds(env, "multipart")
    check(phone.record()["remote_sdp"] == far.description(), "the record has another description than the peer's")
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    phone.quit()


def answered(env, name, media):
    phone = env.phone(audio="tone:440").start()
    far = Far(env, media, name)
    phone.send(f"call {far.uri}")
    phone.wait("call.established", 8)
    lives(env, phone, far, name)


def lives(env, phone, far, name):
    """Sound, a kill, a refresh that repeats our description, sound, the peer's own refresh, BYE."""
    sounds(env, name)
    check(phone.record()["remote_sdp"] == far.description(), "the record has another description than the peer's")
    until(lambda: phone.record()["in_flight"]["cseq"] == 0 and phone.record()["in_flight"]["invite"] == "", 5, "the ACK")
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite")
    phone.wait("call.resumed", 8)
    checks.same_refresh(env.capture, phone, phone.killed_at)
    sounds(env, name, phone.killed_at)
    since = time.time()
    far.invite(phone)
    env.capture.wait("the 200 to its refresh", lambda m: m.method == "INVITE" and m.status == 200 and phone.from_here(m), since=since)
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def sounds(env, name, since=0.0):
    here = ("127.0.0.2", 7000)
    env.capture.wait_rtp("the phone's sound", lambda r: r.destination == here, 15, 8, since)
    if name == "short":
        check(all(r.size <= 12 + 80 for r in env.capture.rtp if r.destination == here), "packets of more than 10 ms")
