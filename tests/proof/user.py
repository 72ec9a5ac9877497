"""The user of a phone that dies: starts it again, and types again what it had not taken.

The phone is started again at once with the same arguments (mode `restart`), or by revenant-keeper (mode `keeper`; mode
`hangs`: the phone does not die by itself, its keeper kills it).
After each start the user waits until `calls` shows no call on its way back, and looks. A command is typed again if the
peer has seen nothing of it (the `done` of `type`) and the phone shows the call where the command makes sense (its
`sense`): `call` when there is no call, `answer` and `decline` when one rings here, `cancel` when one is not answered,
`hold` when none is held by us, `unhold` when one is, `info` and `bye` when there is one. Else the user waits."""

import os
import select
import signal
import threading
import time

from lib.phone import Phone
from lib.waiting import Failure, until

DEADLINE_S = 10
MISSED_S = 2.5  # how long the phone may have no call that the peer has: the peer's next attempt may be on its way
UNACKED = 4     # how many times it may leave a repeated 2xx without an ACK
UNDER_WAY = {"restoring", "restored", "replaying", "resuming", "detour", "retrying", "ending", "canceling", "modifying"}


class Lost(Failure):
    """The peer and the phone do not agree about a call, or the call does not go on."""


class User:
    def __init__(self, env, wire, mode, kill, first_life=1, before_restart=None, **phone):
        """`kill`: (option, N) or None, for the life `first_life`. `before_restart` is called between two lives."""
        keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
        self.keeper = [keeper, "--burst", "0", "--"]
        self.is_kept = mode != "restart"
        # Until a phone that hangs is killed: 5 s if it has no call.
        self.patience_s = 6 if mode == "hangs" else 0
        self.kill = kill
        self.first_life = first_life
        self.before_restart = before_restart
        self.wire = wire
        self.phone = Phone(env, resume="auto", audio="tone:440", **phone)
        self.deaths = {}  # by pid: when it died by itself
        self.pid = None   # of the process that has said that it is ready, while it lives
        self.starts = 0   # ready events seen
        self.ready_at = 0.0
        self.past = []    # events of earlier processes
        self.missing_since = None
        self.expected = set()  # pids whose end is no death
        env.at_end(self.finish)

    # -- lives

    def start(self):
        self._launch()
        self.wait("the phone to be ready", lambda: self.starts > 0, looks=False)
        return self

    def _launch(self):
        phone = self.phone
        kept = self.is_kept and phone.runs + 1 >= self.first_life
        phone.launcher = self.keeper if kept else []
        self.past += phone.events
        self.taken = 0
        dies = self.kill is not None and phone.runs + 1 == self.first_life
        phone.launch([f"--{self.kill[0]}", str(self.kill[1])] if dies else [])

    def kill9(self):
        """From outside, before the life in which it dies by itself; then it is started again."""
        self.expected.add(self.phone.process.pid)
        self.pid = None
        self.phone.kill9()
        starts = self.starts
        self._launch()
        self.wait("the phone to be ready again", lambda: self.starts > starts, looks=False)

    def finish(self):
        """The phone, when its keeper cannot start it again."""
        if self.phone.process is not None and self.phone.process.running():
            self.phone.process.kill9()
        if self.pid is not None and self.is_kept:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def poll(self):
        """Notices deaths and starts."""
        phone = self.phone
        with phone.condition:
            fresh = phone.events[self.taken:]
            self.taken += len(fresh)
        for event in fresh:
            if event.get("event") == "ready":
                self.starts += 1
                self.pid = event["pid"]
                self.ready_at = event["(seen)"]
                threading.Thread(target=self._watch, args=(event["pid"],), daemon=True).start()
        if phone.process.running():
            return
        status = phone.process.popen.returncode
        phone.reader.join(5)
        if self.is_kept and phone.runs >= self.first_life or status != -9:
            raise Lost(f"the phone ended with status {status}")
        if len(phone.events) > self.taken:
            return self.poll()
        self._died(phone.process.pid)
        if len(self.deaths) > 3:
            raise Lost("the phone dies again and again")
        if self.before_restart:
            self.before_restart(phone)
        self._launch()

    def _watch(self, pid):
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return self._died(pid)
        try:
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            poller.poll()
            self._died(pid)
        finally:
            os.close(fd)

    def _died(self, pid):
        if self.pid == pid:
            self.pid = None
        if pid not in self.expected:
            self.deaths.setdefault(pid, time.time())

    def died_at(self):
        """When it died at its kill point; None if it did not."""
        if self.deaths:
            return min(self.deaths.values())
        again = next((e["(seen)"] for e in self.phone.events if e.get("event") == "ready"), None)
        # The keeper's word for a phone that was not ready yet.
        return again if "started again" in self.phone.process.log() else None

    def events(self):
        return self.past + self.phone.events

    # -- looking

    def listing(self):
        """What `calls` shows; None if the phone dies before it has shown it."""
        starts, phone = self.starts, self.phone
        begin = len(phone.events)
        try:
            phone.send("calls")
        except Failure:
            self.poll()
            return None

        def shown():
            self.poll()
            if self.starts != starts or phone is not self.phone or phone.ended:
                return "died"
            return any(e.get("event") == "ok" and e.get("command") == "calls" for e in phone.events[begin:])
        if until(shown, 5 + self.patience_s, "an answer to `calls`", 0.005) == "died":
            return None
        return [e for e in phone.events[begin:] if e.get("event") == "call.listed"]

    def look(self):
        """The listing, once the phone is up; Lost when the phone has given up what the peer believes in."""
        self.poll()
        if self.phone.ended or self.pid is None:
            return None
        calls = self.listing()
        if calls is None:
            return None
        for call in self.wire.live():
            for request in call.requests:
                again = sum(1 for a in request.answers if a.status < 300 and a.status >= 200 and a.time > self.ready_at)
                if request.method == "INVITE" and not request.from_peer and request.ack is None and again >= UNACKED:
                    raise Lost(f"the phone does not acknowledge the 2xx to {request}")
        live = {c.call_id for c in self.wire.live()}
        for event in self.events():
            if event.get("event") == "ledger" and event.get("verdict") == "lost" and event.get("call_id") in live:
                raise Lost(f"the phone gave it up: {event.get('reason')}")
        if live and not calls:
            self.missing_since = self.missing_since or time.monotonic()
            if time.monotonic() - self.missing_since > MISSED_S:
                raise Lost(f"the phone does not have the call that the peer has ({self.wire.state(float('inf'))})")
        else:
            self.missing_since = None
        return calls

    def settle(self, deadline_s=DEADLINE_S):
        """Until no call is on its way back or out; the listing."""
        held = []

        def settled():
            calls = self.look()
            if calls is None or any(c["state"] in UNDER_WAY for c in calls):
                return False
            held[:] = [calls]
            return True
        until(settled, deadline_s + self.patience_s, lambda: "the phone's calls to settle: " + str([c["state"] for c in self.look() or []]), 0.02)
        return held[0]

    def wait(self, what, condition, deadline_s=DEADLINE_S, looks=True):
        """Until it holds, whatever happens to the phone meanwhile."""
        looked = [time.monotonic()]

        def holds():
            self.poll()
            value = condition()
            if not value and looks and time.monotonic() - looked[0] > 0.25:
                self.look()
                looked[0] = time.monotonic()
            return value
        return until(holds, deadline_s + self.patience_s, what)

    # -- typing

    def type(self, command, done, sense, deadline_s=DEADLINE_S):
        end = time.monotonic() + deadline_s
        while True:
            calls = self.settle()
            if done():
                return
            pid = self.pid  # whose listing it was
            if pid is None:
                continue
            if sense(calls):
                try:
                    self.phone.send(command)
                except Failure:
                    continue
            self.wait(f"the peer to see {command!r}", lambda: done() or pid in self.deaths,
                      max(0.1, end - time.monotonic()))
            if done():
                return
