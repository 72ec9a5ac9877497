"""What revenant promises about a call that outlives its phone, each with the figure that was measured.

A promise is a function of the evidence: it returns the measured figure, or Failure says what is broken."""

from lib import checks
from lib.waiting import Failure, check

import sound

PROMISES = []


def promise(title):
    def add(function):
        PROMISES.append((title, function))
        return function
    return add


def judge(evidence):
    """[(title, kept, figure or what is wrong)]"""
    verdicts = []
    for title, function in PROMISES:
        try:
            verdicts.append((title, True, function(evidence)))
        except (Failure, sound.Broken, OSError) as broken:
            verdicts.append((title, False, str(broken).splitlines()[0]))
    return verdicts


@promise("the same dialog")
def same_dialog(e):
    check(e.facts["same_command"], "the phone was not started with the same command")
    checks.one_dialog(e.wire, e.phone, bye_asked=True)
    return f"1 Call-ID, 1 tag of ours, 1 of the peer's in {len(e.sip)} messages"


@promise("CSeq rises")
def cseq(e):
    checks.cseq_rises(e.sent)
    numbers = [m for m in e.sent if m.method != "ACK"]
    return "  ".join(f"{m.method} {m.cseq}" for m in numbers)


@promise("the same Contact")
def contact(e):
    values = {m.get("contact") for m in e.invites}
    check(len(values) == 1, f"it changed: {sorted(map(str, values))}")
    check(e.invites[0].get("contact"), "there is none")
    return values.pop()


@promise("the same SDP, byte for byte")
def sdp(e):
    again = checks.same_refresh(e.wire, e.phone, e.killed_at)
    origin = next(line for line in again.sdp.decode().split("\r\n") if line.startswith("o="))
    return f"{len(again.sdp)} bytes, {origin}"


@promise("nothing but the refresh")
def only_refresh(e):
    early = [m for m in e.sip if e.phone.from_here(m) and e.killed_at < m.time < e.facts["reinvite_at"]]
    check(not early, "the phone spoke before `reinvite`: " + "; ".join(map(str, early)))
    asked = [m.method for m in e.sent if e.killed_at < m.time < e.facts["bye_at"]]
    check(asked == ["INVITE", "ACK"], f"the phone sent {', '.join(asked) or 'nothing'} between the kill and the BYE")
    check([m.method for m in e.sent].count("BYE") == 1, "not exactly one BYE")
    asked_of_us = [m.first_line for m in e.sip if m.is_request and e.peer.from_here(m)]
    check(not asked_of_us, f"the peer had something to say: {asked_of_us}")
    return "INVITE and ACK after the kill; BYE when it was typed"


@promise("one call for the peer")
def one_call(e):
    counted = e.facts["peer_established"], e.facts["peer_ended"]
    check(counted == (1, 1), f"{e.facts['peer_name']} says: {counted[0]} established, {counted[1]} ended")
    return f"{e.facts['peer_name']} says: 1 established, 1 ended"


@promise("one SSRC, the same ports")
def one_ssrc(e):
    sources = {p.ssrc for p in e.rtp}
    check(len(sources) == 1, f"{len(sources)} SSRCs: " + ", ".join(f"{s:08x}" for s in sorted(sources)))
    ports = {(p.source[1], p.destination[1]) for p in e.rtp}
    check(len(ports) == 1, f"the ports changed: {sorted(ports)}")
    return f"{sources.pop():08x}, port {e.rtp[0].source[1]} to {e.rtp[0].destination[1]}"


@promise("no RTP number twice")
def no_number_twice(e):
    numbers = [p.sequence for p in e.rtp]
    twice = sorted({n for n in numbers if numbers.count(n) > 1})
    check(not twice, f"sent twice: {', '.join(map(str, twice[:5]))}")
    for one, other in zip(e.rtp, e.rtp[1:]):
        check(0 < (other.sequence - one.sequence) & 0xFFFF < 0x8000, f"backwards: {other.sequence} after {one.sequence}")
    return f"{len(numbers)} packets, {len(set(numbers))} numbers, each above the last"


@promise("timestamps where they would be")
def timestamps(e):
    checks.one_stream(e.rtp)
    check(abs(e.shift_ms) < 20, f"the stream went on {e.shift_ms:+.1f} ms off its schedule")
    return f"160 for every number; {e.shift_ms:+.1f} ms off the schedule after the gap"


@promise("no more lost than the gap")
def gap(e):
    check(abs((e.lost + 1) * 20 - e.gap_ms) <= 60, f"{e.lost} packets lost do not make a gap of {e.gap_ms:.0f} ms")
    return f"{e.lost} lost, {e.gap_ms:.0f} ms from the last packet to the next"


@promise("no call lost")
def none_lost(e):
    entry, total = e.facts["ledger"]
    check(total["lost"] == 0, f"{total['lost']} lost, says the ledger")
    check(entry["verdict"] == "survived" and total["survived"] == 1, f"the ledger's verdict: {entry['verdict']}")
    check(e.facts["exit_status"] == 0, f"the phone ended with exit status {e.facts['exit_status']}")
    told = entry.get("packets_lost")
    # The packet that it died over may be noted and not sent.
    check(told is None or 0 <= e.lost - told <= 1, f"{e.lost} packets lost on the wire, {told} in the ledger")
    agrees = "the ledger names no gap" if told is None else "the ledger agrees with the capture"
    return f"lost 0, survived 1; {agrees}; exit status 0"


@promise("recordings whole, also at the kill")
def recordings(e):
    talked = [e.before[-1].time - e.before[0].time, e.after[-1].time - e.after[0].time]
    lengths = []
    for name, least in (("phone-at-kill", talked[0]), ("phone", sum(talked)), ("peer", sum(talked))):
        file = e.path("logs" if "kill" in name else "", name + ".wav")
        try:
            seconds = sound.read_wav(file).seconds
        except sound.Broken as broken:
            raise Failure(f"{name}.wav: {broken}") from None
        # A header is brought up to date once a second.
        check(seconds > least - 1.2, f"{name}.wav holds {seconds:.1f} s of at least {least:.1f} s")
        lengths.append(f"{name.replace('-', ' ')} {seconds:.1f} s")
    return ", ".join(lengths)


@promise("both hear each other, before and after")
def tones(e):
    shares = []
    for name, hz in (("peer", e.facts["phone_hz"]), ("phone", e.facts["peer_hz"])):
        samples = sound.read_wav(e.path(name + ".wav")).samples
        half = len(samples) // 2
        for when, part in (("before", samples[:half]), ("after", samples[half:])):
            share = sound.tone_share(part, hz)
            check(share > 0.5, f"{name}.wav {when} the gap: {hz} Hz has {share:.0%} of the power")
            shares.append(share)
    return (f"{e.facts['phone_hz']} Hz at the peer {shares[0]:.0%} and {shares[1]:.0%} of the power, "
            f"{e.facts['peer_hz']} Hz here {shares[2]:.0%} and {shares[3]:.0%}")
