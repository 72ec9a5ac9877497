"""The benches: each returns the rows of the table and the values that they were made from."""

import json
import os
import statistics
import subprocess

import rate
from lib import process
from lib.phone import Phone
from lib.sipp import Sipp
from lib.waiting import Failure
from report import Row, at_most

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
    found = tool(env, options, "kills", options.kills, options.floor, env.path("phone.log"), "--",
                 *phone_arguments(env, options, audio="tone:440"), deadline_s=30 + options.kills)
    floor = median(found["floor_ms"])
    ratio = median(found["ready_ms"]) / floor
    share = sum(1 for n in found["lost"] if n == 0) / max(len(found["lost"]), 1)
    lost = Row("RTP packets lost a kill", found["lost"], "", beside=f"none in {share:.0%} of {len(found['lost'])} kills")
    return [
        Row("kill -> main of the floor program", found["floor_ms"]),
        Row("kill -> the old process is gone (waitpid)", found["gone_ms"]),
        Row("kill -> phone ready to send RTP", found["ready_ms"], beside=f"{ratio:.2f} x floor",
            reach="<= 1.5 x floor", reached=ratio <= 1.5, more={"ratio": ratio}),
        Row("kill -> first RTP packet, at a random moment", found["first_rtp_ms"][1::2]),
        lost,
        at_most("RTP packets sent twice, all kills", [sum(found["repeated"])], 0, ""),
        Row("kill -> re-INVITE at the peer", found["invite_ms"]),
        Row("kill -> 200 to the re-INVITE", found["answered_ms"]),
        Row("kill -> ACK at the peer", found["ack_ms"], beside=f"{median(found['ack_ms']) / floor:.2f} x floor",
            reach="<= 15 ms", reached=median(found["ack_ms"]) <= 15),
        at_most("kills without an ACK within 10 s", [found["unanswered"]], 0, ""),
    ], found


def first_invite(env, options):
    found = tool(env, options, "starts", options.starts, options.floor, env.path("phone.log"), "--",
                 *phone_arguments(env, options, extra=("-c", f"call {PEER}")), deadline_s=20 + options.starts)
    floor, invite = median(found["floor_ms"]), median(found["invite_ms"])
    return [
        Row("exec -> main of the floor program", found["floor_ms"]),
        at_most("exec -> first INVITE on the wire", found["invite_ms"], 8,
                beside=f"{invite / floor:.2f} x floor, {invite - floor:+.1f} ms"),
    ], found


def real_record(env, options):
    """The record of a call that was made, with the phone killed in it."""
    phone = Phone(env, state=env.path("state-model"))
    sipp = Sipp(env, "peer_called.xml")
    phone.start()
    phone.send(f"call {PEER}")
    phone.wait("call.established")
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
        record |= {"number": number, "call_id": f"{tag}{model['call_id']}", "local_tag": local, "remote_tag": remote}
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
            json.dump(record, file)
    with open(os.path.join(state, "epoch"), "w", encoding="ascii") as file:
        file.write(f"{model['epoch']}\n")
    with open(env.path("answer.sdp"), "w", newline="", encoding="ascii") as file:
        file.write(with_port(model["remote_sdp"], 16000 if streams else 0))
    return state


def with_port(sdp, port):
    before, after = sdp.split("m=audio ", 1)
    return f"{before}m=audio {port} {after.split(' ', 1)[1]}"


def storm(env, options, model, count, what, resume, streams=0):
    state = populate(env, model, count, streams)
    arguments = phone_arguments(env, options, name=os.path.basename(state), resume=resume,
                                extra=("--interactive", "--rtp-ports", "20000-64999"))
    return tool(env, options, "storm", count, streams, env.path("answer.sdp"), what, "--", *arguments, deadline_s=70)


def dialogs(env, options):
    model = real_record(env, options)
    raw, rows = {}, []
    empty = storm(env, options, model, 0, "ready", "never")
    for count in options.dialogs:
        runs = [storm(env, options, model, count, "resumed", "auto") for _ in range(options.repeat)]
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
        memory = [(r["rss_kb"] - empty["rss_kb"]) / count for r in runs]
        if count >= 100:
            title = f"{count:,} dialogs: memory of each"
            rows.append(at_most(title, memory, 60, "kB") if limit else Row(title, memory, "kB"))
    most = max(options.dialogs)
    if len(options.dialogs) > 1 and most >= 1000:
        below = sorted(options.dialogs)[-2]
        each = [median([r["answered_ms"] for r in raw[n]]) / n for n in (below, most)]
        rows.append(at_most(f"time of a dialog, {most:,} against {below:,}", [each[1] / each[0]], 1.2, ""))
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


def streams(env, options):
    model = real_record(env, options)
    count = 100 if options.quick else 1000
    runs = [storm(env, options, model, count, "resumed", "auto", count) for _ in range(options.repeat)]
    beside = "; ".join(sorted({f"{r['streams']} streams" for r in runs}))
    row = at_most(f"{count:,} calls: exec -> RTP of all", [r["streams_ms"] for r in runs], 100, beside=beside)
    row.reached = row.reached and all(r["streams"] == count for r in runs)
    return [row, Row(f"{count:,} calls with RTP: exec -> all re-INVITEs answered", [r["answered_ms"] for r in runs])], runs


def journal(env, options):
    raw, rows = {}, []
    count = 2000 if options.quick else 10000
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
    found = tool(env, options, "media", options.seconds, env.path("phone.log"), "1,10,100", "--",
                 *phone_arguments(env, options, audio="tone:440", extra=("--interactive", "--auto-answer")),
                 deadline_s=30 + 4 * options.seconds)
    idle, rows = found[0], []
    for now in found[1:]:
        n = now["calls"]
        cpu = (now["cpu_ms"] / now["seconds"] - idle["cpu_ms"] / idle["seconds"]) / n / 10
        memory = (now["rss_kb"] - idle["rss_kb"]) / n
        flow = now["received"] / now["seconds"] / n
        title = f"{n} call{'s'[:n > 1]} with G.711: processor a call"
        beside = f"{flow:.1f} packets/s each"
        if n < 100:
            rows.append(Row(title, [cpu], "%", beside=beside))
        else:
            rows.append(at_most(title, [cpu], 0.1, "%", beside=beside))
            rows.append(at_most(f"{n} calls with G.711: memory a call", [memory], 64, "kB"))
    return rows, found


BENCHES = {"kills": kills, "first_invite": first_invite, "dialogs": dialogs, "streams": streams, "journal": journal,
           "rate": rate.rate, "media": media}
