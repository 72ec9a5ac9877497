"""heard.svg: the audio that the peer received, with the gap marked, and the gap under a magnifying glass."""

import math
from xml.sax.saxutils import escape

import sound

WIDTH, HEIGHT = 1000, 600
LEFT, RIGHT = 60, 970             # of both graphs
WHOLE = (96, 236)                 # top and bottom
NEAR = (318, 500)
MARGIN_S = 0.3                    # on each side of the gap in the lower graph
INK, FAINT, WAVE, GAP, EDGE = "#222", "#777", "#2a6fb0", "#fbd9d3", "#c0392b"
LOOKS = """
 text { font-family: "DejaVu Sans", Helvetica, Arial, sans-serif; font-size: 12px; fill: #222 }
 .title { font-size: 20px; font-weight: bold } .faint { fill: #666 } .gap { fill: #c0392b; font-weight: bold }
 .mid { text-anchor: middle } .end { text-anchor: end } .small { font-size: 11px }
"""


class Graph:
    """A stretch of time, from the left edge to the right one."""

    def __init__(self, top, bottom, first_s, last_s, loudest):
        self.top, self.bottom, self.first_s, self.last_s = top, bottom, first_s, last_s
        self.middle = (top + bottom) / 2
        self.scale = (bottom - top) / 2 / loudest

    def x(self, seconds):
        share = (seconds - self.first_s) / (self.last_s - self.first_s)
        return LEFT + min(max(share, 0), 1) * (RIGHT - LEFT)

    def y(self, sample):
        return self.middle - sample * self.scale


def where_is_the_gap(evidence, samples):
    """(begin, end) in seconds of the recording. A peer that keeps time records silence, or a faded guess, where nothing
    came: the gap ends where sound begins again, and is as long as the lost packets."""
    length = evidence.lost * 0.02
    first = evidence.rtp[0]
    due = ((evidence.after[0].timestamp - first.timestamp) & 0xFFFFFFFF) / sound.RATE  # counts from the first packet
    if evidence.facts["peer_kind"] == "baresip":  # laid out by timestamps
        return due - length, due
    quiet = sound.silences(samples)
    due += quiet[0][1] / sound.RATE if quiet and quiet[0][0] == 0 else 0
    near = [end / sound.RATE for _, end in quiet if abs(end / sound.RATE - due) < 0.25]
    end = min(near, key=lambda at: abs(at - due), default=due)  # none: so short that concealment bridged it
    return end - length, end


def draw(evidence, path):
    samples = sound.read_wav(evidence.path("peer.wav")).samples
    begin, end = where_is_the_gap(evidence, samples)
    seconds = len(samples) / sound.RATE
    loudest = max(max(map(abs, samples)), 1) * 1.12
    whole = Graph(*WHOLE, 0, seconds, loudest)
    near = Graph(*NEAR, begin - MARGIN_S, end + MARGIN_S, loudest)
    facts = evidence.facts
    killed = end - (evidence.after[0].time - evidence.killed_at)  # in the recording's time, by the first packet after
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
           f"<style>{LOOKS}</style>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    _text(svg, LEFT, 36, "What the other end heard", "title")
    _text(svg, LEFT, 58, f"{facts['phone_hz']} Hz from the phone, as {facts['peer_name']} recorded it: {seconds:.1f} s, one "
          f"call, one stream (SSRC {evidence.rtp[0].ssrc:08x})", "faint")

    _band(svg, whole, begin, end)
    _envelope(svg, whole, samples)
    x = whole.x(begin)
    right = x < (LEFT + RIGHT) * 0.7
    _text(svg, x + (2 if right else -2), WHOLE[0] - 8, f"kill -9: {count(evidence.lost)} lost", "gap" + ("" if right else " end"))
    _axis(svg, whole, 1 if seconds < 15 else 5, lambda s: f"{s:g}", "s")

    # From the gap above to its enlargement.
    for one, other in ((near.first_s, LEFT), (near.last_s, RIGHT)):
        svg.append(f'<path d="M{whole.x(one):.1f} {WHOLE[1] + 22} L{other} {NEAR[0]}" stroke="#bbb" fill="none" '
                   'stroke-dasharray="2 3"/>')
    _band(svg, near, begin, end)
    _curve(svg, near, samples)
    _line(svg, near.x(killed), NEAR[0], NEAR[1], EDGE, 1.5)
    _text(svg, near.x(killed) + 4, NEAR[0] - 6, "SIGKILL", "gap end")
    reinvite = end - (evidence.after[0].time - evidence.invites[-1].time)
    _line(svg, near.x(reinvite), NEAR[0], NEAR[1], INK, 1, "4 3")
    _text(svg, near.x(reinvite) - 4, NEAR[0] - 6, "re-INVITE")
    _packets(svg, evidence, near, begin, end)
    _axis(svg, near, 0.1, _signed_ms, "ms", begin, down=26)
    _text(svg, LEFT, HEIGHT - 22, f"Packets of 20 ms by their RTP numbers: {evidence.before[0].sequence} to "
          f"{evidence.before[-1].sequence} came before, {evidence.after[0].sequence} to {evidence.after[-1].sequence} "
          f"after; {evidence.gap_ms:.0f} ms from the last to the next.", "faint")
    svg.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(svg) + "\n")


def count(packets):
    return f"{packets or 'no'} packet{'' if packets < 2 else 's'}"


def _text(svg, x, y, text, kind=""):
    svg.append(f'<text x="{x:.1f}" y="{y}" class="{kind}">{escape(text)}</text>')


def _line(svg, x, top, bottom, colour, width=1.0, dashes=""):
    svg.append(f'<path d="M{x:.1f} {top} V{bottom}" stroke="{colour}" stroke-width="{width}"'
               + (f' stroke-dasharray="{dashes}"' if dashes else "") + "/>")


def _band(svg, graph, begin, end):
    left, right = graph.x(begin), graph.x(end)
    svg.append(f'<rect x="{LEFT}" y="{graph.top}" width="{RIGHT - LEFT}" height="{graph.bottom - graph.top}" fill="#f6f8fa"/>')
    svg.append(f'<rect x="{left:.1f}" y="{graph.top}" width="{max(right - left, 1.5):.1f}" '
               f'height="{graph.bottom - graph.top}" fill="{GAP}"/>')


def _envelope(svg, graph, samples):
    """The highest and the lowest sample of each column of half a pixel."""
    columns = (RIGHT - LEFT) * 2
    top, bottom = [], []
    for column in range(columns):
        part = samples[len(samples) * column // columns:max(len(samples) * (column + 1) // columns, 1)] or (0,)
        x = LEFT + column / 2
        top.append(f"{x:.1f},{graph.y(max(part)) - 0.5:.1f}")
        bottom.append(f"{x:.1f},{graph.y(min(part)) + 0.5:.1f}")
    svg.append(f'<polygon points="{" ".join(top + bottom[::-1])}" fill="{WAVE}"/>')


def _curve(svg, graph, samples):
    first, last = (round(s * sound.RATE) for s in (graph.first_s, graph.last_s))
    points = [f"{graph.x(i / sound.RATE):.1f},{graph.y(samples[i]):.1f}"
              for i in range(max(first, 0), min(last, len(samples)))]
    svg.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{WAVE}" stroke-width="1"/>')


def _packets(svg, evidence, graph, begin, end):
    """A row of boxes under the curve, one for each packet: filled ones came."""
    y, height = graph.bottom + 6, 12
    def box(at, came):
        left, right = graph.x(at), graph.x(at + 0.02)
        if right - left > 2:
            svg.append(f'<rect x="{left + 1:.1f}" y="{y}" width="{right - left - 2:.1f}" height="{height}" rx="1.5" '
                       + (f'fill="{WAVE}"/>' if came else f'fill="#fff" stroke="{EDGE}" stroke-dasharray="2 2"/>'))
    came_before = {(evidence.before[-1].sequence - p.sequence) & 0xFFFF for p in evidence.before}
    came_after = {(p.sequence - evidence.after[0].sequence) & 0xFFFF for p in evidence.after}
    for i in range(math.ceil(MARGIN_S / 0.02)):
        box(begin - (i + 1) * 0.02, i in came_before)
        box(end + i * 0.02, i in came_after)
    for i in range(evidence.lost):
        box(begin + i * 0.02, False)


def _signed_ms(seconds):
    return f"{seconds * 1000:+.0f}".replace("-", "−") if abs(seconds) > 1e-6 else "0"


def _axis(svg, graph, step, label, unit, origin=0.0, down=0):
    y = graph.bottom + down
    while (graph.last_s - graph.first_s) / step > 14:
        step *= 2
    first = math.ceil((graph.first_s - origin) / step - 1e-9)
    last = math.floor((graph.last_s - origin) / step + 1e-9)
    for tick in range(first, last + 1):
        x = graph.x(origin + tick * step)
        svg.append(f'<path d="M{x:.1f} {y} v5" stroke="{FAINT}"/>')
        _text(svg, x, y + 18, label(tick * step) + (f" {unit}" if tick == last else ""), "mid small")
