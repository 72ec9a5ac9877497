"""Sound that does not come as the description says: from behind a NAT it is taken, told, and answered, over a kill too;
from a stranger it never gets into a call that has sound; in another codec of our answer it is heard."""

import os
import signal
import time
import wave

from lib import checks
from lib.far import Far, Talker
from lib.waiting import check, until

VARIANTS = ["nat", "nat_keeper", "stranger", "other_codec", "moves_back"]
NAT, STRANGER, AGREED = ("127.0.0.3", 7777), ("127.0.0.66", 6666), ("127.0.0.2", 7000)


def run(env):
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--burst", "0", "--"]
    kept = {"resume": "auto", "launcher": keeper} if env.variant == "nat_keeper" else {}
    heard = env.path("heard.wav")
    phone = env.phone(audio=f"tone:440,file:{heard}", **kept).start(extra=["--auto-answer"])
    far = Far(env, "m=audio 7000 RTP/AVP 0 8\r\n")
    far.invite(phone)
    phone.wait("call.established")
    here = ("127.0.0.1", phone.record()["media"]["local"]["port"])
    {"nat": nat, "nat_keeper": nat, "stranger": stranger, "other_codec": other_codec,
     "moves_back": moves_back}[env.variant](env, phone, far, here)
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone))
    phone.quit()
    if env.variant == "other_codec":
        both_parts_are_loud(heard)


def goes_to(env, place, since=0.0, count=25):
    env.capture.wait_rtp(f"sound to {place}", lambda r: r.destination == place, count, 8, since)


def nat(env, phone, far, here):
    Talker(env, NAT, here)
    told = phone.wait("media.moved")
    check((told["from"], told["agreed"]) == ("127.0.0.3:7777", "127.0.0.2:7000"), f"it said {told}")
    goes_to(env, NAT)
    eve = Talker(env, STRANGER, here, ssrc=9)
    since = time.time()
    goes_to(env, NAT, since)
    over_a_kill(env, phone)
    goes_to(env, NAT, phone.killed_at)
    env.capture.sync()
    late = [r for r in env.capture.rtp if r.time > since and r.destination in (AGREED, STRANGER)]
    check(not late, f"sound went to {late[:1]} after it had come from {NAT}")
    eve.stop()


def over_a_kill(env, phone):
    until(lambda: phone.record()["in_flight"]["cseq"] == 0 and phone.record()["in_flight"]["invite"] == "", 5, "the ACK")
    if env.variant == "nat_keeper":
        with open(os.path.join(phone.state, "lock"), encoding="ascii") as lock:
            phone.killed_at = time.time()
            os.kill(int(lock.read()), signal.SIGKILL)
        phone.wait("call.resumed", 8)
        return
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite")
    phone.wait("call.resumed", 8)


def stranger(env, phone, far, here):
    Talker(env, far.sound, here)
    phone.wait("media.first_packet")
    for source in (STRANGER, ("127.0.0.2", 7004)):
        Talker(env, source, here, ssrc=7, sequence=20)  # as if it were the call's own stream
    goes_to(env, AGREED)
    over_a_kill(env, phone)
    goes_to(env, AGREED, phone.killed_at)
    check(not phone.seen("media.moved"), "a stranger was taken for the peer")
    env.capture.sync()
    check(all(r.destination == AGREED for r in checks.rtp_from(env.capture, phone)), "sound went to a stranger")


def moves_back(env, phone, far, here):
    elsewhere = Talker(env, NAT, here)
    phone.wait("media.moved")
    goes_to(env, NAT)
    Talker(env, far.sound, here, ssrc=8)
    until(lambda: env.capture.sync().rtp[-1].destination == AGREED or any(
        r.destination == AGREED for r in env.capture.rtp[-4:]), 5, "sound to the agreed address again")
    since = time.time()
    goes_to(env, AGREED, since)
    env.capture.sync()
    check(not [r for r in env.capture.rtp if r.time > since and r.destination == NAT], "sound still goes elsewhere")
    elsewhere.stop()


def other_codec(env, phone, far, here):
    talker = Talker(env, far.sound, here, payload_type=8, octets=b"\x15\x95" * 80)  # we are sent PCMA and send PCMU
    phone.wait("media.first_packet")
    goes_to(env, AGREED)
    over_a_kill(env, phone)
    phone.wait("media.first_packet")
    goes_to(env, AGREED, phone.killed_at, 50)
    talker.stop()


def both_parts_are_loud(path):
    with wave.open(path) as file:
        frames = file.readframes(file.getnframes())
    samples = [int.from_bytes(frames[i:i + 2], "little", signed=True) for i in range(0, len(frames) - 1, 2)]
    for part in (samples[:4000], samples[-4000:]):
        check(sum(abs(s) > 1000 for s in part) > 1000, "PCMA was not heard")
