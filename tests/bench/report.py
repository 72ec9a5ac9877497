"""Figures and the table of them."""

import statistics
from dataclasses import dataclass, field

FORMAT = {"ms": "{:.1f}", "kB": "{:.1f}", "us": "{:.1f}", "%": "{:.3f}", "/s": "{:.0f}", "n": "{:.0f}", "": "{:.3g}"}


@dataclass
class Row:
    figure: str
    values: list
    unit: str = "ms"
    beside: str = ""          # the floor, or what it is a ratio of
    reach: str = ""           # in words
    reached: bool | None = None
    more: dict = field(default_factory=dict)

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    def text(self):
        if not self.values:
            return "-"
        show = FORMAT[self.unit].format
        unit = f" {self.unit}" if self.unit not in ("", "n") else ""
        if len(self.values) == 1:
            return show(self.values[0]) + unit
        return f"{show(self.median)} [{show(min(self.values))}..{show(max(self.values))}]{unit}"

    def as_json(self):
        return {"figure": self.figure, "unit": self.unit, "median": self.median,
                "min": min(self.values, default=None), "max": max(self.values, default=None), "n": len(self.values),
                "beside": self.beside, "reach": self.reach, "reached": self.reached, **self.more}


def failed(name, error):
    return Row(f"{name}: could not be measured", [], beside=str(error).splitlines()[0][:60] if str(error) else repr(error))


def at_most(figure, values, limit, unit="ms", **more):
    row = Row(figure, values, unit, reach=f"<= {limit:g} {unit}".strip(), **more)
    row.reached = row.median is not None and row.median <= limit
    return row


def at_least(figure, values, limit, unit="", **more):
    row = Row(figure, values, unit, reach=f">= {limit:g} {unit}".strip(), **more)
    row.reached = row.median is not None and row.median >= limit
    return row


def table(rows):
    head = ("figure", "median [min..max]", "beside it", "to reach", "reached")
    lines = [head] + [(r.figure, r.text(), r.beside, r.reach, {None: "", True: "yes", False: "NO"}[r.reached])
                      for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    result = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([result[0], "-" * max(map(len, result)), *result[1:]])
