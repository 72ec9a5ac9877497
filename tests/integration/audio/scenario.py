"""Two people hear each other, one phone dies, they hear each other again. baresip keeps one decoder on one stream: same
SSRC, no number twice, timestamps where they would be, and the tones are in both recordings, before and after."""

import time
import wave

from lib import checks, sound, story
from lib.waiting import check

VARIANTS = ["baresip_called", "baresip_calling"]


def run(env):
    env.pair("192.0.2.1", "192.0.2.2")
    heard = env.path("heard.wav")
    phone = env.phone(address="192.0.2.2", audio=f"tone:440,file:{heard}").start()
    peer = env.baresip(tone_hz=1000)
    if env.variant == "baresip_called":
        story.called_peer(env, phone, peer)
    else:
        peer.command("dial", phone.uri)
        story.answer(phone)
    both_ways(env, phone, 100)

    story.kill_and_resume(env, phone)
    both_ways(env, phone, 100)
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    peer.wait_event("CALL_CLOSED")
    checks.one_dialog(env.capture, phone, bye_asked=True)

    ours = checks.rtp_from(env.capture, phone)
    checks.one_stream(ours)
    lost, gap_ms = checks.over_a_kill(ours, phone)
    print(f"{lost} packets lost, a gap of {gap_ms:.0f} ms")
    check(lost * 20 <= gap_ms + 20, f"{lost} packets are missing, but the gap is {gap_ms:.0f} ms")
    entry = phone.wait("ledger", call=1)
    check(entry.get("verdict") == "survived", f"ledger: {entry}")
    check(abs(entry.get("packets_lost", 0) - lost) <= 1, f"{lost} packets are missing on the wire, the ledger says {entry}")
    phone.quit()
    peer.stop()
    for path in peer.recordings("dec"):
        check(sound.tone(path, 440) > 3, f"{path} is too short")
    recordings = [heard] if readable(heard) else []
    check(recordings, f"the phone recorded nothing in {heard}")
    check(sound.tone(heard, 1000) > 1.5, f"{heard} is too short")


def both_ways(env, phone, count):
    since = time.time()
    env.capture.wait_rtp("from the phone", lambda r: r.source[1] in range(*phone.rtp_ports), count, 10, since)
    env.capture.wait_rtp("to the phone", lambda r: r.destination[1] in range(*phone.rtp_ports), count, 10, since)


def readable(path):
    try:
        with wave.open(path) as file:
            return file.getnframes() > 0
    except (OSError, wave.Error, EOFError):
        return False
