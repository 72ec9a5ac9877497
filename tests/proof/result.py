"""What came of the cases: excuses, counts, tables and RESULT.md."""

import re
import sys
from fnmatch import fnmatchcase

import cases

MODES = ("restart", "keeper", "hangs")


def read_excuses(path):
    excuses = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                fields = re.split(r"\s+", line.strip(), maxsplit=2)
                if len(fields) != 3:
                    sys.exit(f"{path}, line {number}: SCENARIO/PEER/MODE POINT/N reason")
                excuses.append({"where": fields[0], "point": fields[1], "reason": fields[2], "line": number, "used": 0})
    return excuses


def excuse(result, excuses):
    if result["verdict"] != "lost" or not result["died"]:
        return
    for line in excuses:
        if fnmatchcase(f"{result['scenario']}/{result['peer']}/{result['mode']}", line["where"]) \
                and fnmatchcase(f"{result['point']}/{result['n']}", line["point"]):
            line["used"] += 1
            result["verdict"], result["excuse"] = "excused", line["reason"]
            return


COLUMNS = ("tried", "survived", "finished", "excused", "lost")


def matrix(results):
    """(scenario, peer) -> mode -> counts, of the cases in which the phone died."""
    table = {}
    for r in results:
        counts = table.setdefault((r["scenario"], r["peer"]), {}).setdefault(r["mode"], dict.fromkeys(COLUMNS, 0))
        if r["died"]:
            counts["tried"] += 1
            if r["verdict"] in counts:
                counts[r["verdict"]] += 1
    return table


def lines_of(table):
    modes = [m for m in MODES if any(m in c for c in table.values())]
    head = ["scenario", "peer"] + [f"{m}: {c}" if c == "tried" else c for m in modes for c in COLUMNS]
    order = list(cases.SCENARIOS)
    rows = [head]
    for (scenario, peer), by_mode in sorted(table.items(), key=lambda i: (order.index(i[0][0]), cases.ALL.index(i[0][1]))):
        rows.append([scenario, peer] + [str(by_mode[m][c]) if m in by_mode else "" for m in modes for c in COLUMNS])
    total = [str(sum(by_mode[m][c] for by_mode in table.values() if m in by_mode)) for m in modes for c in COLUMNS]
    rows.append(["all", ""] + total)
    return rows


def plain(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def markdown(rows):
    return "\n".join(["| " + " | ".join(rows[0]) + " |", "|---|---|" + "---:|" * (len(rows[0]) - 2)]
                     + ["| " + " | ".join(r) + " |" for r in rows[1:]])


def bad(result):
    """Why the case fails the run, or ""."""
    if result["verdict"] == "error":
        return f"error: {result['reason']}"
    if result["verdict"] == "lost":
        return ("lost: " if result["died"] else "fails without a death: ") + result["reason"]
    return "; ".join(result["broken"]) and "broken rule: " + "; ".join(result["broken"])


def comparison(results):
    table = [["scenario", "user agent", *COLUMNS]]
    for (scenario, name), by_mode in sorted(matrix(results).items(), key=lambda item: item[0][::-1]):
        table.append([scenario, name, *(str(by_mode["outside"][c]) for c in COLUMNS)])
    return table


def records_that_kill(results):
    table = [["it kills by", "mode", "steps", "cases", "as it must be", "not"]]
    kinds = {}
    for r in results:
        kinds.setdefault((r["point"].split(":")[1], r["mode"]), []).append(r)
    for (how, mode), of_kind in sorted(kinds.items()):
        good = sum(not bad(r) for r in of_kind)
        table.append([how, mode, str(len({r["point"] for r in of_kind})), str(len(of_kind)), str(good), str(len(of_kind) - good)])
    return table


def write_result(path, rows, results, tried, records, compared):
    text = ["# Kill points", "", f"Written by `make proof`: {tried} deaths. A row is a scenario with a peer; `tests/README.md` says "
            "what the columns mean.", "", markdown(rows), ""]
    reasons = {}
    for r in results:
        why = re.sub(r" \(CSeq \d+\)", "", bad(r) or r.get("excuse", "") and "excused: " + r["excuse"])
        if why:
            reasons.setdefault((r["scenario"], r["peer"], r["mode"], why), {}).setdefault(r["point"], []).append(r["n"])
    if reasons:
        text += ["## Not survived", "", "| scenario | peer | mode | kill points | reason |", "|---|---|---|---|---|"]
        for (scenario, peer, mode, why), points in sorted(reasons.items()):
            where = ", ".join(f"{point} {spans(numbers)}" for point, numbers in sorted(points.items()))
            text.append(f"| {scenario} | {peer} | {mode} | {where} | {why.replace('|', '/')} |")
        text.append("")
    text += ["## A record that kills", "", "Three calls, and the phone crashes at one step of the way back whenever it takes it for "
             "one of them: the first, the middle or the last. After two deaths that record must be put away and the others be "
             "good for everything; after SIGKILLs from outside, four in a row, all must.", "", markdown(records), ""]
    text += ["## Killed from outside", "", "By SIGKILL after the N-th SIP datagram between the user agent and its peer, for every N; started "
             "again at once with the same command.", "", markdown(compared)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(text) + "\n")


def spans(numbers):
    """1, 2, 3, 5 is 1-3, 5."""
    result = []
    for n in sorted(numbers):
        if result and n == result[-1][1] + 1:
            result[-1][1] = n
        else:
            result.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in result)
