"""What the demo prints."""

import os
import sys
import unicodedata


def _wants_colour():
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Paint:
    def __init__(self, on):
        self.on = on

    def __call__(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.on else text

    def good(self, text):
        return self("32", text)

    def bad(self, text):
        return self("1;31", text)

    def faint(self, text):
        return self("2", text)

    def strong(self, text):
        return self("1", text)

    def note(self, text):
        return self("33", text)


paint = Paint(_wants_colour())


def out(text=""):
    print(text, flush=True)


def heading(text):
    out()
    out(paint.strong(text))


def printable(text):
    """The network's text must not steer the terminal."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in str(text))


def step(text, kind="do"):
    mark = {"do": "▸ ", "kill": "✝ ", "phone": "   "}[kind]
    line = f"  {mark}{printable(text)}"
    out({"do": str, "kill": paint.bad, "phone": paint.faint}[kind](line))


def ladder(e):
    peer = e.facts["peer_name"]
    heading("What the peer saw")
    first = e.invites[0]
    ids = [first.call_id, first.tag("from"), next((m.tag("to") for m in e.sip if m.tag("to")), "")]
    width = 31
    out(paint.faint(f"        s  phone{peer:>{width - 3}}   CSeq             Call-ID    our tag    peer's tag"))
    marks = [(e.before[0].time, _audio(e.before)), (e.killed_at, "kill"), (e.facts["ready_at"], "back"),
             (e.after[0].time, _audio(e.after))]
    # The audio stands after the message that began it.
    events = sorted([(m.time, m) for m in e.sip] + marks, key=lambda event: event[0])
    shown, seen = None, set()
    for time, what in events:
        at = f"{time - first.time:9.3f}  "
        if what == "kill":
            out(at + paint.bad("✝ SIGKILL"))
        elif what == "back":
            out(at + paint.note(f"▲ started again, {(time - e.facts['started_again_at']) * 1000:.0f} ms"))
        elif isinstance(what, str):
            out(at + paint.faint(f"│ {what:═^{width - 2}} │"))
        else:
            out(at + _rung(e, what, width) + "   " + _identity(what, ids, shown, seen))
            shown = ids
    out(paint.faint(f"           = the same as at first; the Call-ID is {printable(first.call_id)}"))


def _audio(packets):
    return f" {len(packets)} RTP packets "


def _rung(e, message, width):
    label = message.method if message.is_request else message.first_line[8:]
    if message.sdp:
        mine = [m for m in e.invites if m.sdp]
        again = e.phone.from_here(message) and message.is_request and message.time > e.killed_at
        label += (" same SDP" if message.sdp == mine[0].sdp else " OTHER SDP") if again else " SDP"
    label = f" {printable(label)} "
    if e.phone.from_here(message):
        return f"│ {label:─^{width - 3}}▶ │"
    return f"│ ◀{label:─^{width - 3}} │"


def _identity(message, ids, shown, seen):
    cseq = printable(message.get("cseq") or "")
    key = (message.is_request, message.method, message.branch, message.status)
    repeated = key in seen
    seen.add(key)
    ours_is_from = message.is_request == (message.tag("from") == ids[1]) or message.tag("from") == ids[1]
    values = [message.call_id, message.tag("from" if ours_is_from else "to"),
              message.tag("to" if ours_is_from else "from")]
    cells = []
    for wanted, value in zip(ids, values):
        if value is None:
            cells.append(paint.faint(f"{'–':<11}"))
        elif value != wanted:
            cells.append(paint.bad(f"{'≠ ' + short(value):<11}"))
        elif shown is None or (value == ids[2] and "peer" not in seen):
            cells.append(f"{short(value):<11}")
        else:
            cells.append(paint.good(f"{'=':<11}"))
    if values[2] == ids[2]:
        seen.add("peer")
    return f"{cseq:<17}" + "".join(cells).rstrip() + (paint.faint(" again") if repeated else "")


def short(value):
    value = printable(value)
    return value if len(value) <= 8 else value[:7] + "…"


def rtp(e):
    heading("RTP around the gap")
    b, a = e.before, e.after
    same = b[0].ssrc == a[0].ssrc
    cells = [("", "before", "lost", "after"),
             ("packets", len(b), e.lost, len(a)),
             ("number", f"{b[0].sequence} … {b[-1].sequence}",
              "–" if not e.lost else f"{(b[-1].sequence + 1) & 0xFFFF} … {(a[0].sequence - 1) & 0xFFFF}",
              f"{a[0].sequence} … {a[-1].sequence}"),
             ("timestamp", f"{b[0].timestamp} … {b[-1].timestamp}", f"+{e.lost} × 160" if e.lost else "–",
              f"{a[0].timestamp} … {a[-1].timestamp}"),
             ("SSRC", f"{b[0].ssrc:08x}", "", f"{a[0].ssrc:08x} " + ("=" if same else "≠"))]
    for name, before, middle, after in cells:
        line = f"  {name:<10} {before:<26} {middle:<16} {after}"
        if not name:
            line = paint.faint(line)
        elif not same and name == "SSRC":
            line = paint.bad(line)
        out(line.rstrip())
    dead = (e.facts["ready_at"] - e.killed_at) * 1000
    out(f"  gap        {e.gap_ms:.0f} ms from packet to packet; the phone was away for {dead:.0f} ms of it")


def ledger(e):
    heading("The ledger, as the phone printed it")
    for entry in e.facts["ledger"]:
        out("  " + printable(entry["text"]))


def promises(verdicts):
    heading("Promises")
    width = max(len(title) for title, _, _ in verdicts)
    for title, kept, figure in verdicts:
        mark = paint.good("✓") if kept else paint.bad("✗")
        text = printable(figure)
        out(f"  {mark} {title:<{width}}  " + (text if kept else paint.bad(text)))


def end(verdicts, output, files):
    broken = [(title, figure) for title, kept, figure in verdicts if not kept]
    out()
    if not broken:
        out(paint.good(f"All {len(verdicts)} promises kept.") + "  " + output + ": " + ", ".join(files))
        return 0
    for title, figure in broken:
        out(paint.bad(f"BROKEN: {title}: {printable(figure)}"))
    out(f"{len(broken)} of {len(verdicts)} promises broken.  {output}: " + ", ".join(files))
    return 1
