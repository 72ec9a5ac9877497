"""The benches: each returns the rows of the table and the values that they were made from."""

import json
import os
import statistics
import subprocess

import baresip
import rate
from lib import process
from lib.phone import Phone
from lib.sipp import Sipp
from lib.story import settled
from lib.waiting import Failure
from report import Row, at_least, at_most

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECORD = os.path.join(ROOT, "tests", "data", "records", "v1_caller_established.json")
PEER = "sip:bob@127.0.0.2:5060"
median = statistics.median


def phone_arguments(env, options, name="state", audio="silence", resume="auto", extra=("--interactive",)):
    """SIP over UDP only: the measured exchanges are."""
    return [options.phone, "--aor", "sip:alice@127.0.0.1", "--listen", "127.0.0.1:5060;transport=udp",
            "--state", env.path(name), "--audio", audio, f"--resume={resume}", "--json", *extra]


def tool(env, options, name, *arguments, deadline_s):
    """Runs one of the programs beside this file and reads the JSON that it prints."""
    child = process.Process(name, [os.path.join(options.tools, name), *arguments], env.directory, stdout=subprocess.PIPE)
    env.at_end(child.stop)
    try:
        output, _ = child.popen.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        raise Failure(f"{name} was not done after {deadline_s} s") from None
    if not output:
        raise Failure(f"{name}: {child.log().strip().splitlines()[-1]}")
    return json.loads(output)


def kills(env, options):
    found = tool(env, options, "kills", options.kills, options.floor, env.path("phone.log"),
                 *baresip.calling(env, "baresip"), "--", *phone_arguments(env, options, audio="tone:440"),
                 deadline_s=30 + options.kills)
    floor = median(found["floor_ms"])
    share = sum(1 for n in found["lost"] if n == 0) / max(len(found["lost"]), 1)
    lost = Row("RTP packets lost a kill", found["lost"], "", beside=f"none in {share:.0%} of {len(found['lost'])} kills")
    return [
        Row("kill -> main of the floor program", found["floor_ms"]),
        Row("kill -> the old process is gone (waitpid)", found["gone_ms"]),
        to_floor("kill -> phone ready to send RTP", found["ready_ms"], floor, 1.25),
        Row("kill -> first RTP packet, at a random moment", found["first_rtp_ms"][1::2]),
        lost,
        at_most("RTP packets sent twice, all kills", [sum(found["repeated"])], 0, ""),
        Row("kill -> re-INVITE at the peer", found["invite_ms"]),
        *against_baresip("kill -> INVITE", found["invite_ms"], found["other_ms"], 0.9, "a new call: the old one is lost"),
        Row("kill -> 200 to the re-INVITE", found["answered_ms"]),
        to_floor("kill -> ACK at the peer", found["ack_ms"], floor, 1.5),
        at_most("kills without an ACK within 10 s", [found["unanswered"]], 0, ""),
    ], found


def to_floor(figure, values, floor, limit):
    """A row that is to be reached as a ratio to the floor."""
    ratio = median(values) / floor
    return Row(figure, values, beside=f"{ratio:.2f} x floor", reach=f"<= {limit:g} x floor", reached=ratio <= limit,
               more={"ratio": ratio})


def against_baresip(figure, values, others, limit, beside="", unit="ms"):
    """baresip's figure, and ours against it; nothing where it is not installed. Both were measured in turn."""
    if not others:
        return []
    return [Row(f"  {figure}, baresip", others, unit, beside=beside),
            at_most(f"  {figure}, against baresip", [median(values) / median(others)], limit, "")]


def under_keeper(options, arguments):
    return [os.path.join(os.path.dirname(options.phone), "revenant-keeper"), "--burst", "0", "--", *arguments]


def kept(env, options):
    """Kills of the phone under its keeper. In turn with it the floor program, under the same keeper."""
    def run(kills, calls, request="-"):
        name = f"state-{calls}-{request}"
        return tool(env, options, "kept", kills, calls, request, options.floor, env.path(f"{name}.log"), "--",
                    *under_keeper(options, phone_arguments(env, options, name, audio="tone:440",
                                                           extra=("--interactive", "--auto-answer"))),
                    deadline_s=30 + kills)

    count, rows = options.kept_kills, []
    some = max(count // 10, 10)
    raw = {"1 call": run(count, 1), "10 calls": run(some, 10), "100 calls": run(some, 100),
           "INFO": run(some, 1, "INFO"), "OPTIONS": run(some, 1, "OPTIONS"), "BYE": run(some, 1, "BYE")}
    one = raw["1 call"]
    for name in ("1 call", "10 calls", "100 calls"):
        found = raw[name]
        clean = sum(1 for lost, twice in zip(found["lost"], found["twice"]) if lost == twice == 0)
        share = clean / max(len(found["lost"]), 1)
        rows.append(at_least(f"keeper, {name}: kills with 0 RTP lost, 0 twice", [100 * share], 99, "%",
                             beside=f"{clean} of {len(found['lost'])}, {found['packets']:,} packets, "
                                    f"{sum(found['lost']):.0f} lost, {sum(found['twice']):.0f} twice"))
    soon = [lost == twice == 0 for lost, twice, back in zip(one["lost"], one["twice"], one["back_ms"]) if 0 <= back <= 20]
    rows.append(Row("  of those with RTP again within 20 ms", [100 * sum(soon) / max(len(soon), 1)], "%",
                    beside=f"{sum(soon)} of {len(soon)}: more than one packet is due later"))
    floor = median(one["floor_ms"])
    rows += [
        Row("keeper: kill -> main of the floor program", one["floor_ms"], beside="under a keeper of its own"),
        to_floor("keeper: kill -> phone ready to send RTP", one["ready_ms"], floor, 1.25),
        Row("keeper: kill -> first RTP packet, at a random moment", one["first_rtp_ms"]),
        Row("keeper: kill -> re-INVITE at the peer", one["invite_ms"]),
        Row("keeper: kill -> 200 to the re-INVITE", one["answered_ms"]),
        to_floor("keeper: kill -> ACK at the peer", one["ack_ms"], floor, 1.5),
        Row("keeper, 10 calls: kill -> ACK of the first call", raw["10 calls"]["ack_ms"]),
    ]
    for request in ("INFO", "OPTIONS", "BYE"):
        found = raw[request]
        rows.append(Row(f"keeper: kill -> 200 to {request}, sent to the dead phone", found["asked_ms"],
                        beside=f"in the call, sent once; {found['denied']} not 200"))
    rows.append(at_most("keeper: kills after which a call or an answer was missing for 10 s",
                        [sum(found["unanswered"] for found in raw.values())], 0, ""))
    return rows, raw


def first_invite(env, options):
    found = tool(env, options, "starts", options.starts, options.floor, env.path("phone.log"),
                 *baresip.calling(env, "baresip"), "--", *phone_arguments(env, options, extra=("-c", f"call {PEER}")), deadline_s=20 + options.starts)
    floor, invite = median(found["floor_ms"]), median(found["invite_ms"])
    return [
        Row("exec -> main of the floor program", found["floor_ms"]),
        at_most("exec -> first INVITE on the wire", found["invite_ms"], 8,
                beside=f"{invite / floor:.2f} x floor, {invite - floor:+.1f} ms"),
        *against_baresip("exec -> first INVITE", found["invite_ms"], found["other_ms"], 0.9),
    ], found


def real_record(env, options):
    """The record of a call that was made and goes on, with the phone killed in it."""
    phone = Phone(env, state=env.path("state-model"))
    sipp = Sipp(env, "peer_called.xml")
    phone.start()
    phone.send(f"call {PEER}")
    settled(phone, phone.wait("call.established")["call"])
    phone.kill9()
    sipp.process.kill9()
    return phone.record()


def populate(env, model, count, streams):
    """A state directory with that many dialogs, none of them the same. Without streams no RTP port is bound."""
    state = env.path(f"state-{count}-{streams}")
    os.makedirs(os.path.join(state, "dialogs"), mode=0o700, exist_ok=True)
    for number in range(1, count + 1):
        record = json.loads(json.dumps(model))
        tag = f"{number:06d}"
        local, remote = record["local_tag"] + tag, record["remote_tag"] + tag
        record |= {"number": number, "call_id": f"{tag}{model['call_id']}", "local_tag": local, "remote_tag": remote,
                   "remote_target": PEER}  # the Contact of the peer that answers (message.hpp)
        media = record["media"]
        port = 20000 + 2 * number if streams else 0
        media["ssrc"] = (model["media"]["ssrc"] + number) & 0xFFFFFFFF
        media["local"]["port"] = port
        for end in () if streams else ("remote", "remote_rtcp"):
            media[end]["port"] = 0
        for sdp in ("local_sdp", "remote_sdp"):
            record[sdp] = with_port(model[sdp], (port or 9) if sdp == "local_sdp" else 16000 if streams else 0)
        if streams:
            media["remote"]["port"], media["remote_rtcp"]["port"] = 16000, 16001
        with open(os.path.join(state, "dialogs", f"{number}.json"), "w", encoding="utf-8") as file:
            json.dump(record, file, separators=(",", ":"))
    with open(os.path.join(state, "epoch"), "w", encoding="ascii") as file:
        file.write(f"{model['epoch']}\n")
    with open(env.path("answer.sdp"), "w", newline="", encoding="ascii") as file:
        file.write(with_port(model["remote_sdp"], 16000 if streams else 0))
    return state


def with_port(sdp, port):
    before, after = sdp.split("m=audio ", 1)
    return f"{before}m=audio {port} {after.split(' ', 1)[1]}"


def storm(env, options, model, count, what, resume, streams=0, kept=False, request=()):
    state = populate(env, model, count, streams)
    arguments = phone_arguments(env, options, name=os.path.basename(state), resume=resume,
                                extra=("--interactive", "--rtp-ports", "20000-64999"))
    return tool(env, options, "storm", count, streams, env.path("answer.sdp"), what, *(["kept"] if kept else []),
                *request, "--", *(under_keeper(options, arguments) if kept else arguments), deadline_s=140)


def library(env, options, count):
    """The same from the library alone: no record, no decision, no output."""
    program = os.path.join(options.tools, "dialogs_floor")
    return tool(env, options, "storm", count, 0, env.path("answer.sdp"), "resumed", "--", program, count, deadline_s=140)


def dialogs(env, options):
    model = real_record(env, options)
    raw, rows, memories, floors = {}, [], {}, []
    most = max(options.dialogs)
    empty = storm(env, options, model, 0, "ready", "never")
    for count in options.dialogs:
        runs = []
        for _ in range(options.repeat):
            runs.append(storm(env, options, model, count, "resumed", "auto"))
            if count == most:
                floors.append(library(env, options, count))
        raw[count] = runs
        trouble = sum(r["repeated"] for r in runs)
        incomplete = [r for r in runs if not r["done"]]
        limit = count == 10000
        title = f"{count:,} dialog{'s'[:count > 1]}: exec -> all re-INVITEs answered"
        values = [r["answered_ms"] for r in runs]
        beside = f"{median(values) / count * 1000:.0f} us a dialog; {trouble} sent again"
        if incomplete:
            beside = f"{incomplete[0]['answered']} answered after 60 s"
        row = at_most(title, values, 2500, beside=beside) if limit else Row(title, values, beside=beside)
        row.reached = row.reached and not incomplete if limit else None
        rows.append(row)
        memories[count] = memory = [(r["rss_kb"] - empty["rss_kb"]) / count for r in runs]
        if count == most:
            rows.append(counts(f"{count:,} dialogs without media", runs[-1]))
        if count >= 100:
            title = f"{count:,} dialogs: memory of each"
            rows.append(at_most(title, memory, 60, "kB") if limit else Row(title, memory, "kB"))
    if len(options.dialogs) > 1 and most >= 1000:
        below = sorted(options.dialogs)[-2]
        each = [median([r["answered_ms"] for r in raw[n]]) / n for n in (below, most)]
        rows.append(at_most(f"time of a dialog, {most:,} against {below:,}", [each[1] / each[0]], 1.2, ""))
        rows.append(at_most(f"memory of a dialog, {most:,} against {below:,}",
                            [median(memories[most]) / median(memories[below])], 1.2, ""))
    floor = [r["answered_ms"] for r in floors]
    ratio = median([r["answered_ms"] for r in raw[most]]) / median(floor)
    rows += [Row(f"{most:,} dialogs: the library alone", floor),
             at_most(f"{most:,} dialogs: phone against the library alone", [ratio], 1.15, "")]
    raw["library"] = floors
    raw["split"] = split = {
        "read": [storm(env, options, model, most, "ready", "never") for _ in range(options.repeat)],
        "stand-in": [storm(env, options, model, most, "resume.ask", "ask") for _ in range(options.repeat)]}
    read = [r["ready_ms"] for r in split["read"]]
    restored = [r["restored_ms"] for r in split["stand-in"]]
    cpu = [r["cpu_ms"] for r in raw[most]]
    rows += [Row(f"  of {most:,}: exec -> all records read (--resume=never)", read),
             Row(f"  of {most:,}: exec -> all restored (--resume=ask)", restored),
             Row(f"  of {most:,}: processor time of the whole", cpu)]
    return rows, raw


def counts(what, run, more=""):
    """A row for what a phone has open; the keeper's sockets beside it where there is one."""
    beside = f"{run['files']} files, {run['threads']} threads{more}"
    if run["kept"]:
        beside += f"; the keeper holds {run['keeper_sockets']}"
    return Row(f"{what}: sockets", [run["sockets"]], "n", beside=beside)


def questions(env, options):
    """The longest that a request waits, of one each 10 ms from before the start on, sent once each."""
    model = real_record(env, options)
    count, rows, raw = max(options.dialogs), [], {}
    inside = ("INFO", model["call_id"], model["local_tag"], model["remote_tag"])
    for kept in (False, True):
        for request in (("OPTIONS",), inside):
            runs = [storm(env, options, model, count, "resumed", "auto", kept=kept, request=request)
                    for _ in range(options.repeat)]
            name = "OPTIONS outside of a dialog" if len(request) == 1 else "INFO in a dialog"
            who = "keeper, kill" if kept else "no keeper, start"
            raw[f"{name}, {who}"] = runs
            denied, before, silent = (sum(r[key] for r in runs) for key in ("denied", "silent_before", "silent"))
            beside = f"unanswered: {before} sent before, {silent} after"
            if silent:
                beside += f" (up to {max(r['deaf_ms'] for r in runs):.0f} ms)"
            if denied:
                beside += f"; {denied} got {max(r['denied_status'] for r in runs)}"
            row = at_most(f"{who} with {count:,}: longest wait, {name}",
                          [max([r["deaf_ms"], *r["waits_ms"]]) for r in runs], 500, beside=beside)
            row.reached = row.reached and denied == 0 and not (kept and silent)
            rows.append(row)
    return rows, raw


def streams(env, options):
    model = real_record(env, options)
    count = 100 if options.short else 1000
    runs = [storm(env, options, model, count, "resumed", "auto", count) for _ in range(options.repeat)]
    beside = "; ".join(sorted({f"{r['streams']} streams" for r in runs}))
    row = at_most(f"{count:,} calls: exec -> RTP of all", [r["streams_ms"] for r in runs], 100, beside=beside)
    row.reached = row.reached and all(r["streams"] == count for r in runs)
    rows = [row, Row(f"{count:,} calls with RTP: exec -> all re-INVITEs answered", [r["answered_ms"] for r in runs]),
            counts(f"{count:,} calls with RTP", runs[-1])]
    kept = [storm(env, options, model, count, "resumed", "auto", count, kept=True) for _ in range(options.repeat)]
    lost, twice = (sum(r[key] for r in kept) for key in ("rtp_lost", "rtp_twice"))
    row = at_most(f"keeper, {count:,} calls: kill -> RTP of all", [r["streams_ms"] for r in kept], 100,
                  beside=f"{lost} packets lost, {twice} twice")
    row.reached = row.reached and all(r["streams"] == count for r in kept)
    rows += [row, Row(f"keeper, {count:,} calls with RTP: kill -> all answered", [r["answered_ms"] for r in kept]),
             counts(f"keeper, {count:,} calls with RTP", kept[-1])]
    return rows, {"started": runs, "kept": kept}


def journal(env, options):
    raw, rows = {}, []
    count = 2000 if options.short else 10000
    for name, directory in (("on this disk", env.path("state")), ("on /dev/shm", f"/dev/shm/revenant-bench-{os.getpid()}")):
        try:
            raw[name] = tool(env, options, "journal", directory, RECORD, count, deadline_s=60)
        finally:
            if directory.startswith("/dev/shm"):
                subprocess.run(["rm", "-rf", directory], check=False)
        values = sorted(raw[name]["again_us"])
        rows.append(Row(f"one journal write {name}", values, "us", beside=f"99 %: {values[len(values) * 99 // 100]:.0f} us"))
    raw["durable"] = tool(env, options, "journal", env.path("state-durable"), RECORD, 300, "durable", deadline_s=60)
    rows.append(Row("one journal write with --durable", raw["durable"]["again_us"], "us"))
    return rows, raw


def media(env, options):
    def run(name, hosts, command):
        found = tool(env, options, "media", options.seconds, env.path(f"{name}.log"), "1,10,100", *hosts, "--", *command,
                     deadline_s=30 + 4 * options.seconds)
        return found, [Share(now, found[0]) for now in found[1:]]

    command = baresip.command(env, "baresip")
    raw, ours = run("phone", (), phone_arguments(env, options, audio="tone:440", extra=("--interactive", "--auto-answer")))
    others_raw, others = run("beside", (baresip.ADDRESS, baresip.PEER), command) if command else ([], [])
    rows = []
    for i, now in enumerate(ours):
        title, limit = f"{now.calls} call{'s'[:now.calls > 1]} with G.711", now.calls == 100
        cpu, memory = f"{title}: processor a call", f"{title}: memory a call"
        rows.append(at_most(cpu, [now.cpu], 0.1, "%", beside=now.flow) if limit else Row(cpu, [now.cpu], "%", beside=now.flow))
        if others:
            rows += against_baresip("processor a call", [now.cpu], [others[i].cpu], 1, others[i].flow, "%")
        rows.append(at_most(memory, [now.memory], 64, "kB") if limit else Row(memory, [now.memory], "kB"))
        if others:
            rows += against_baresip("memory a call", [now.memory], [others[i].memory], 1, unit="kB")
    return rows, {"ours": raw, "baresip": others_raw}


class Share:
    """What one of `now`'s calls costs above the program with none."""

    def __init__(self, now, idle):
        self.calls = now["calls"]
        self.cpu = (now["cpu_ms"] / now["seconds"] - idle["cpu_ms"] / idle["seconds"]) / self.calls / 10
        self.memory = (now["rss_kb"] - idle["rss_kb"]) / self.calls
        self.flow = f"{now['received'] / now['seconds'] / self.calls:.1f} packets/s each"


BENCHES = {"kills": kills, "kept": kept, "first_invite": first_invite, "dialogs": dialogs, "questions": questions,
           "streams": streams, "journal": journal, "rate": rate.rate, "media": media}
