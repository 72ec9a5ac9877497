"""What the peer may see of a call whose phone was killed: a refresh, and nothing else."""

import re

from .waiting import Failure, check


def requests(capture, phone, call_id=None, since=0.0):
    """New requests from the phone, each once: a retransmission has the branch of the original."""
    seen, result = set(), []
    for message in capture.sync().messages(phone.from_here, since):
        if not message.is_request or (call_id and message.call_id != call_id):
            continue
        key = (message.method, message.branch)
        if message.branch is None or key not in seen:
            result.append(message)
        seen.add(key)
    return result


def one_dialog(capture, phone, bye_asked=False, call_id=None, stranger=None):
    """The whole life of one call as seen on the wire; returns the phone's new requests in order. What goes to a
    stranger's address, or comes from there, is no part of it."""
    ours = [m for m in capture.sync().messages(phone.from_here) if not m.method.startswith("CUE")
            and (call_id is None or m.call_id == call_id) and m.destination[0] != stranger]
    theirs = [m for m in capture.messages(phone.to_here) if not m.method.startswith("CUE")
              and (call_id is None or m.call_id == call_id) and m.source[0] != stranger]
    check(ours, "the phone sent nothing")
    ids = {m.call_id for m in ours}
    check(len(ids) == 1, f"{len(ids)} Call-IDs in one call: {sorted(ids)}")

    sent = requests(capture, phone, call_id)
    local = {m.tag("from") for m in sent} | {m.tag("to") for m in ours if not m.is_request and m.status > 100}
    check(len(local - {None}) == 1, f"more than one local tag: {sorted(map(str, local))}")
    peer = {m.tag("to") for m in sent} | {m.tag("from") for m in theirs if m.is_request} \
        | {m.tag("from") for m in ours if not m.is_request}
    check(len(peer - {None}) <= 1, f"more than one remote tag: {sorted(map(str, peer))}")

    cseq_rises(sent)
    contacts = {m.get("contact") for m in ours if m.method == "INVITE" and m.get("contact")
                and (m.is_request or m.status < 300)}
    check(len(contacts) == 1, f"the Contact changed: {sorted(contacts)}")
    versions_rise([m for m in ours if m.sdp])
    if not bye_asked:
        no_bye(capture, phone, call_id)
    return sent


def versions_rise(messages):
    """RFC 3264 section 8: the version in o= never falls, and the same version is the same description."""
    last = None
    for message in messages:
        origin = re.search(rb"^o=(\S+ \S+) (\d+) (.*?)\r?$", message.sdp, re.M)
        check(origin, f"no o= line in {message}")
        if last is not None:
            name, version, text = last
            check((origin.group(1), origin.group(3)) == name, f"another o= line in {message}: {origin.group(0).decode()}")
            check(int(origin.group(2)) >= version, f"the version in o= fell from {version} to {int(origin.group(2))}: {message}")
            check(int(origin.group(2)) > version or message.sdp == text,
                  f"two descriptions with the version {version}\n--- one\n{text.decode()}--- other\n{message.sdp.decode()}")
        last = ((origin.group(1), origin.group(3)), int(origin.group(2)), message.sdp)


def cseq_rises(sent):
    """Strictly, for every new request of a dialog; ACK and CANCEL repeat the number of their INVITE."""
    last, invites = 0, set()
    for message in sent:
        if message.method in ("ACK", "CANCEL"):
            check(message.cseq in invites, f"{message.method} with the CSeq of no INVITE: {message}")
            continue
        check(message.cseq > last, f"the CSeq did not rise above {last}: {message}")
        check(message.cseq < 2 ** 31, f"the CSeq is too high: {message}")
        last = message.cseq
        if message.method == "INVITE":
            invites.add(message.cseq)


def no_bye(capture, phone, call_id=None):
    for message in requests(capture, phone, call_id):
        check(message.method not in ("BYE", "CANCEL"), f"nobody asked the phone for this: {message}")


def sdp_sent(capture, phone, since=0.0, until=float("inf"), call_id=None):
    return [m for m in capture.sync().messages(phone.from_here, since) if m.sdp and m.time < until
            and (call_id is None or m.call_id == call_id)]


def same_refresh(capture, phone, since, call_id=None):
    """The first re-INVITE after `since` repeats the last SDP sent before, byte for byte, over the same routes.
    Returns that re-INVITE."""
    before = sdp_sent(capture, phone, until=since, call_id=call_id)
    check(before, "the phone sent no SDP before the kill")
    again = [m for m in requests(capture, phone, call_id, since) if m.method == "INVITE"]
    check(again, "no re-INVITE after the kill")
    invite = again[0]
    if invite.sdp != before[-1].sdp:
        raise Failure("the SDP of the re-INVITE differs\n--- before\n" + before[-1].sdp.decode()
                      + "--- after\n" + invite.sdp.decode())
    in_dialog = [m for m in requests(capture, phone, call_id) if m.time < since and m.tag("to")]
    if in_dialog:
        check(in_dialog[-1].all("route") == invite.all("route"),
              f"the route set changed: {in_dialog[-1].all('route')} -> {invite.all('route')}")
        check(in_dialog[-1].uri == invite.uri, f"the target changed: {in_dialog[-1].uri} -> {invite.uri}")
    return invite


def rtp_from(capture, phone, remote=None):
    capture.sync()
    first, last = phone.rtp_ports
    return [r for r in capture.rtp if r.source[0] == phone.address and first <= r.source[1] <= last
            and (remote is None or r.destination == remote)]


def one_stream(packets, step=160, pauses=False):
    """One SSRC, no number twice, none backwards, timestamps where the numbers put them. Returns how many
    packets the receiver would call lost. With pauses (a hold) the timestamp may run ahead of the number."""
    check(packets, "no RTP")
    sources = {p.ssrc for p in packets}
    check(len(sources) == 1, f"{len(sources)} SSRCs: {sorted(sources)}")
    first = packets[0]
    extended, last, ahead = [], None, 0
    for packet in packets:
        n = (packet.sequence - first.sequence) & 0xFFFF
        if last is not None and n <= last:
            raise Failure(f"RTP number {packet.sequence} " + ("was sent twice" if n == last else "went backwards"))
        slots, rest = divmod((packet.timestamp - first.timestamp) & 0xFFFFFFFF, step)
        check(rest == 0 and (slots == n or pauses and slots - n >= ahead),
              f"RTP number {packet.sequence}: timestamp {packet.timestamp}, not {first.timestamp} + {n} * {step}")
        ahead = slots - n
        extended.append(n)
        last = n
    return extended[-1] + 1 - len(extended)


def longest_gap_ms(packets):
    return max(((b.time - a.time) * 1000 for a, b in zip(packets, packets[1:])), default=0)


def over_a_kill(packets, phone):
    """How many packets were left out over the last kill, and for how long there was none. A busy machine makes a phone that
    lives leave out others."""
    last = [p for p in packets if p.time < phone.gone_at][-1]
    first = next(p for p in packets if p.time > phone.gone_at)
    return (first.sequence - last.sequence - 1) & 0xFFFF, (first.time - last.time) * 1000


def segments(capture, phone, ours="127.0.0.99"):
    """TCP between the phone and others; `ours`: the test's own cues to the peer."""
    ends = [p for p in capture.sync().segments if (p.source[0] == phone.address) != (p.destination[0] == phone.address)]
    return [p for p in ends if ours not in (p.source[0], p.destination[0])]


def one_connection(capture, phone, until_time=float("inf")):
    """Opened once, closed by nobody, whatever happened to the phone."""
    seen = [p for p in segments(capture, phone) if p.time <= until_time]
    opened = [p for p in seen if p.syn]
    check(len(opened) == 2, "not one connection: " + ", ".join(f"{p.source} -> {p.destination}" for p in opened))
    closed = [p for p in seen if p.closes]
    check(not closed, f"the connection was closed: flags {[p.flags for p in closed]}")
