"""A phone that hangs is as dead as one that crashed: its keeper kills it after 2 s without a word (5 s while nothing is up)
and starts it again, its calls go on, and the ledger says why. A phone that is stopped, debugged, or waits for its disk
does not hang. Asked to end, a phone that hangs ends, and so does its keeper."""

import os
import signal
import subprocess
import time

from lib import checks, story
from lib.process import alive
from lib.waiting import check, until

VARIANTS = ["endless_loop", "deadlock", "starting", "nothing_up", "stopped", "debugged", "keeper_stopped",
            "term_to_keeper", "term_to_phone", "term_without_keeper", "hangup_without_keeper", "stopped_and_term"]
SLOW = ["stopped", "debugged", "starting", "nothing_up"]
SLACK_S = 1.5  # for a machine that has other things to do


class Hang:
    """Makes the phone's main loop stand still, from the next turn on."""

    def __init__(self, env):
        library = env.path("hang.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hang.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
        self.path = env.path("hang")
        # A sanitizer wants to be loaded first, and need not be.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.environment = ["env", f"LD_PRELOAD={library}", f"HANG={self.path}", f"ASAN_OPTIONS={sanitizer}"]

    def prepare(self, how="loop"):
        with open(self.path + ".part", "w", encoding="ascii") as file:
            file.write(how)
        os.rename(self.path + ".part", self.path)

    def begin(self, how="loop"):
        """Returns when it hangs, and what is started afterwards does not."""
        self.prepare(how)
        self.wait()
        os.remove(self.path)

    def wait(self):
        until(lambda: os.path.exists(self.path + ".begun"), 5, "the phone to hang")
        os.remove(self.path + ".begun")


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def is_gone_within(pid, seconds, what):
    begin = time.monotonic()
    until(lambda: not alive(pid), seconds + SLACK_S, what)
    return time.monotonic() - begin


def stays_the_same(phone, pid, seconds):
    """Nobody ends the process meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(alive(pid), f"the phone was killed {end - time.monotonic():.1f} s too early:\n" + phone.process.log()[-500:])
        time.sleep(0.05)


def in_a_call(env, kept=True):
    hang = Hang(env)
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--"]
    phone = env.phone(audio="tone:440", resume="auto", launcher=[*hang.environment, *(keeper if kept else [])]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    # The next word is on its way: the limit is that of a phone with a call.
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    return hang, phone, peer, call_id


def ends_well(env, phone, peer, call_id):
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()


def back_within(phone, pid, seconds):
    begin = time.monotonic()
    entry = phone.wait("ledger", seconds + SLACK_S)
    took = time.monotonic() - begin
    check(took > seconds - 0.6, f"it was killed after {took:.2f} s already")
    check(entry["verdict"] == "survived", f"the call did not survive: {entry}")
    check(entry.get("death") == "hung for 2 s" and "hung for 2 s" in entry["text"], f"the ledger does not say why: {entry}")
    check(owner(phone) != pid, "the same process goes on")
    check("revenant hung for 2 s (its last status: in service): killed, started again" in phone.process.log(),
          "the keeper does not say why:\n" + phone.process.log())
    print(f"back after {took:.2f} s")


def endless_loop(env, how="loop"):
    hang, phone, peer, call_id = in_a_call(env)
    for _ in range(2):
        pid = owner(phone)
        hang.begin(how)
        back_within(phone, pid, 2)
    ends_well(env, phone, peer, call_id)


def deadlock(env):
    endless_loop(env, "sleep")


def starting(env):
    """Before it is ready it gets 5 s; the one after it brings the call back."""
    hang, phone, peer, call_id = in_a_call(env)
    first = owner(phone)
    hang.prepare()
    hang.wait()
    is_gone_within(first, 2, "the phone that hangs to be killed")
    begin = time.monotonic()
    hang.wait()  # the next one, while it starts
    second = owner(phone)
    check(second != first, "the first one hangs again")
    os.remove(hang.path)
    phone.wait("restarted", 5 + SLACK_S, death="hung for 5 s")
    took = time.monotonic() - begin
    check(took > 4, f"it was given {took:.1f} s")
    entry = phone.wait("ledger", 5)
    check(entry["verdict"] == "survived" and entry["death"] == "hung for 5 s", f"the ledger: {entry}")
    ends_well(env, phone, peer, call_id)


def nothing_up(env):
    hang = Hang(env)
    keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
    phone = env.phone(launcher=[*hang.environment, keeper, "--"]).start()
    pid = owner(phone)
    hang.begin()
    begin = time.monotonic()
    event = phone.wait("restarted", 5 + SLACK_S)
    check(event["death"] == "hung for 5 s" and time.monotonic() - begin > 4, f"after {time.monotonic() - begin:.1f} s: {event}")
    check(owner(phone) != pid, "the same process goes on")
    phone.quit()


def stopped(env):
    hang, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    for _ in range(2):
        os.kill(pid, signal.SIGSTOP)
        stays_the_same(phone, pid, 4)
        os.kill(pid, signal.SIGCONT)
        phone.do("calls")
    stays_the_same(phone, pid, 2.5)
    # And it is watched as before.
    hang.begin()
    back_within(phone, pid, 2)
    ends_well(env, phone, peer, call_id)


def debugged(env):
    """strace holds the phone, as a debugger does; then it lets go of it."""
    hang, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    tracer = env.process("tracer", ["strace", "-f", "-o", "/dev/null", "-p", str(pid)])
    until(lambda: "TracerPid:\t0\n" not in open(f"/proc/{pid}/status", encoding="utf-8").read(), 5, "strace to hold it")
    hang.begin()
    stays_the_same(phone, pid, 4)
    tracer.stop()
    back_within(phone, pid, 1)
    ends_well(env, phone, peer, call_id)


def keeper_stopped(env):
    """The phone does not wait for a keeper that reads nothing, and a keeper that was stopped does not count that time."""
    _, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    phone.process.freeze()
    end = time.monotonic() + 6
    while time.monotonic() < end:
        phone.do("calls", 2)
        time.sleep(0.2)
    peer.cue("INFO", call_id)
    phone.wait("call.info", 2)
    phone.process.thaw()
    stays_the_same(phone, pid, 3)
    ends_well(env, phone, peer, call_id)


def records_stay(env, phone, peer, call_id):
    """The next start brings the call back."""
    check(os.path.exists(phone.record_path()), "the record is gone")
    phone.launcher = []
    phone.start()
    phone.wait("call.resumed", 10)
    ends_well(env, phone, peer, call_id)


def term_to_keeper(env):
    hang, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    hang.begin()
    phone.process.signal(signal.SIGTERM)
    is_gone_within(pid, 2, "the phone to end")
    status = phone.wait_exit(1)
    check(status == 128 + 9, f"the keeper ended with {status}")
    check("its calls are left to the next start" in phone.process.log(), phone.process.log())
    records_stay(env, phone, peer, call_id)


def term_to_phone(env):
    """Its keeper does not start it again."""
    hang, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    hang.begin()
    os.kill(pid, signal.SIGTERM)
    is_gone_within(pid, 2, "the phone to end")
    phone.wait_exit(1)
    records_stay(env, phone, peer, call_id)


def without_keeper(env, number, how):
    hang, phone, peer, call_id = in_a_call(env, kept=False)
    hang.begin(how)
    os.kill(owner(phone), number)
    begin = time.monotonic()
    status = phone.wait_exit(5 + SLACK_S)
    check(status == -number, f"it ended with {status}")
    check(time.monotonic() - begin > 4, "a `quit` under way would have been cut off")
    check("Its calls are kept for the next start" in phone.process.log(), phone.process.log())
    records_stay(env, phone, peer, call_id)


def term_without_keeper(env):
    without_keeper(env, signal.SIGTERM, "loop")


def hangup_without_keeper(env):
    without_keeper(env, signal.SIGHUP, "sleep")


def stopped_and_term(env):
    """A phone that is stopped hears nothing; its keeper gives it 5 s."""
    _, phone, peer, call_id = in_a_call(env)
    pid = owner(phone)
    os.kill(pid, signal.SIGSTOP)
    phone.process.signal(signal.SIGTERM)
    took = is_gone_within(pid, 5, "the phone to end")
    check(took > 4, f"it was given {took:.1f} s")
    phone.wait_exit(1)
    check("revenant did not end within 5 s (its last status: in service): killed" in phone.process.log(), phone.process.log())
    records_stay(env, phone, peer, call_id)


def run(env):
    globals()[env.variant](env)
