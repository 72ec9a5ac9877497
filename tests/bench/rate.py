"""Call set-ups per second, sipp at the other end, with the journal and without."""

import csv
import os
import socket
import statistics
import subprocess
import threading
import time

from lib import process
from lib.waiting import Failure, until
from report import Row, at_least, at_most

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 20          # calls in set-up in the closed loop
RUN_S = 3
JOURNAL = {"with": (), "without": ("--no-journal",)}


class Answering:
    """The phone, answering by itself, on one state directory."""

    def __init__(self, env, options, name, extra, script=("--interactive", "--auto-answer")):
        arguments = [options.phone, "--aor", "sip:alice@127.0.0.1", "--listen", "127.0.0.1:5060;transport=udp",
                     "--state", env.path(f"state-{name}"), "--json", *extra, *script]
        self.process = process.Process(f"phone-{name}", arguments, env.directory, stdin=subprocess.PIPE)
        env.at_end(self.process.kill9)
        until(lambda: '"ready"' in self.process.log() or not self.process.running(), 5, "the phone to start")
        if not self.process.running():
            raise Failure(self.process.log().strip().splitlines()[-1][:200])

    def cpu_s(self):
        return time.clock_gettime((~self.process.pid) << 3 | 2)  # clock_getcpuclockid(3)

    def end(self):
        self.process.kill9()


def sipp(env, name, *arguments, deadline_s=60):
    """One run to its end. The last line of sipp's statistics."""
    statistics_path = env.path(f"{name}.csv")
    child = process.Process(name, ["sipp", "127.0.0.1:5060", "-sf", os.path.join(HERE, "uac.xml"), "-i", "127.0.0.2", "-p",
                                   "5060", "-nostdin", "-nd", "-trace_stat", "-stf", statistics_path, "-fd", "3600",
                                   "-buff_size", str(4 << 20), "-timeout", f"{deadline_s}s", "-timeout_error",
                                   *map(str, arguments)], env.directory, stdout=subprocess.DEVNULL)
    env.at_end(child.stop)
    child.wait_exit(deadline_s + 10)
    with open(statistics_path, encoding="ascii") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    # Seconds since 1970 are the last word of these two.
    start, end = (float(last[column].split()[-1]) for column in ("StartTime", "CurrentTime"))
    return {"elapsed_s": end - start, "calls": int(last["SuccessfulCall(C)"]),
            "failed": int(last["FailedCall(C)"]), "repeated": int(last["Retransmissions(C)"])}


def closed_loop(env, options, journal, number, calls):
    """As many set-ups as the phone takes, AT_ONCE at a time."""
    phone = Answering(env, options, f"{journal}-loop{number}", JOURNAL[journal])
    try:
        before = phone.cpu_s()
        run = sipp(env, f"sipp-{journal}-loop{number}", "-r", 30000, "-l", AT_ONCE, "-m", calls)
        run["cpu_us"] = (phone.cpu_s() - before) * 1e6 / calls
    finally:
        phone.end()
    run["rate"] = run["calls"] / run["elapsed_s"]
    return run


def is_clean(run, wanted):
    return run["failed"] == 0 and run["repeated"] <= run["calls"] // 1000 and run["calls"] / run["elapsed_s"] >= 0.95 * wanted


def highest_clean(env, options, journal, ceiling, steps):
    """The highest rate that went through without failures or retransmissions, by bisection below the ceiling."""
    phone = Answering(env, options, f"{journal}-open", JOURNAL[journal])
    low, high, runs = 0, ceiling, []
    try:
        for step in range(steps):
            wanted = int(high if step == 0 else (low + high) / 2)
            for attempt in ("", "-again"):  # somebody else may have had the processor
                run = sipp(env, f"sipp-{journal}-{step}{attempt}", "-r", wanted, "-m", wanted * RUN_S, "-l", 100000,
                           deadline_s=RUN_S * 5 + 10)
                runs.append({"wanted": wanted, **run})
                if is_clean(run, wanted):
                    break
            if is_clean(run, wanted):
                low = wanted
                if step == 0:
                    break
            else:
                high = wanted
    finally:
        phone.end()
    return low, runs


def dialling(env, options, calls):
    """The phone calls, sipp answers and hangs up; AT_ONCE calls at a time. Set-ups per second."""
    peer = process.Process("sipp-called", ["sipp", "-sf", os.path.join(HERE, "uas.xml"), "-i", "127.0.0.2", "-p", "5060",
                                           "-nostdin", "-nd", "-m", str(calls), "-buff_size", str(4 << 20), "-timeout", "60s"],
                           env.directory, stdout=subprocess.DEVNULL)
    env.at_end(peer.stop)
    until(lambda: process.listening("udp", "127.0.0.2", 5060), 5, "sipp to listen")
    arguments = [options.phone, "--aor", "sip:alice@127.0.0.1", "--listen", "127.0.0.1:5060;transport=udp", "--state",
                 env.path("state-dialling"), "--json", "--interactive"]
    log = open(env.path("dialling.log"), "wb")
    phone = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    guard = threading.Timer(60, phone.kill)
    guard.start()
    made = ended = failed = 0
    line = b"call -n sip:bob@127.0.0.2:5060\n"
    begin = time.monotonic()
    try:
        phone.stdin.write(line * AT_ONCE)
        phone.stdin.flush()
        made = AT_ONCE
        for event in phone.stdout:
            bad = b'"call.failed"' in event
            if bad or b'"call.ended"' in event:
                ended += 1
                failed += bad
                if made < calls:
                    phone.stdin.write(line)
                    phone.stdin.flush()
                    made += 1
                elif ended == calls:
                    break
    finally:
        elapsed = time.monotonic() - begin
        guard.cancel()
        phone.kill()
        phone.wait()
        log.close()
        peer.stop()  # its port is the next one's
    return {"calls": ended - failed, "failed": failed, "elapsed_s": elapsed, "rate": (ended - failed) / elapsed}


def rate(env, options):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # bound and never read: the RTP of the calls ends here
    sink.bind(("127.0.0.2", 16000))
    calls, rounds, steps = (2000, 1, 4) if options.short else (6000, 5, 5)
    usage = subprocess.run([options.phone, "--help"], capture_output=True, text=True, check=False).stdout
    loops = {name: [] for name, extra in JOURNAL.items() if all(option in usage for option in extra)}
    for number in range(rounds):
        for name in sorted(loops, reverse=number % 2 == 1):
            loops[name].append(closed_loop(env, options, name, number, calls))
    rates = {name: [r["rate"] for r in runs] for name, runs in loops.items()}
    cpu = {name: [r["cpu_us"] for r in runs] for name, runs in loops.items()}
    clean, runs = highest_clean(env, options, "with", statistics.median(rates["with"]), steps)
    calling = [dialling(env, options, calls // 2) for _ in range(1 if options.short else 3)]
    lost = sum(r["failed"] for runs_ in loops.values() for r in runs_)
    # Neighbours in time, because the machine may be shared.
    ratios = [one / other for one, other in zip(rates["with"], rates.get("without", []))]
    beside = f"{lost} failed, {sum(r['repeated'] for r in loops['with'])} sent again"
    dearer = [one / other for one, other in zip(cpu["with"], cpu.get("without", []))]
    return [
        at_least(f"set-ups, sipp calls, {AT_ONCE} at a time", rates["with"], 2000, "/s", beside=beside),
        Row("  the same with --no-journal", rates.get("without", []), "/s"),
        at_least("  with / without the journal", ratios, 0.95),
        Row("  processor time of a set-up", cpu["with"], "us"),
        at_most("  processor time with / without the journal", dearer, 1.1, ""),
        Row(f"highest steady rate over {RUN_S} s without loss", [clean], "/s"),
        Row(f"set-ups, the phone calls, {AT_ONCE} at a time", [r["rate"] for r in calling], "/s",
            beside=f"{sum(r['failed'] for r in calling)} failed"),
    ], {"closed": loops, "open": runs, "calling": calling}
