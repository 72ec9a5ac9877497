"""The phone under its keeper, and what is done to it."""

import collections
import json
import os
import re
import signal
import subprocess
import threading
import time

from lib.waiting import Failure, until

EXPECTED = re.compile(r"revenant was killed by SIGKILL( \(its last status: [^)]*\))?, started again$")
BAD = re.compile(r"Sanitizer|runtime error:|ssertion|terminate called|killed by|core dumped|cannot|refused:")


class Victim:
    """`on_event(event)` is called for each JSON object, `on_trouble(text)` for each line on stderr that is a bug."""

    def __init__(self, binary, directory, address, options, on_event, on_trouble):
        self.address = address
        self.state = os.path.join(directory, "state")
        self.on_event, self.on_trouble = on_event, on_trouble
        self.kills = collections.Counter()
        self.said = collections.deque(maxlen=400)
        self.killed = None  # pid
        keeper = os.path.join(os.path.dirname(binary), "revenant-keeper")
        # --burst 0: not to be patient with a phone that dies young, which is what happens here.
        self.popen = subprocess.Popen(
            [keeper, "--burst", "0", "--", binary, "--aor", f"sip:alice@{address}", "--listen",
             f"{address}:5060;transport=udp", "--state", self.state, "--audio", "tone:440", "--json", "--resume=auto",
             "--interactive", "--rtp-ports", "20000-20999", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=directory, start_new_session=True)
        self.children = f"/proc/{self.popen.pid}/task/{self.popen.pid}/children"
        for stream, reader in ((self.popen.stdout, self._stdout), (self.popen.stderr, self._stderr)):
            threading.Thread(target=reader, args=(stream,), daemon=True).start()

    def _stdout(self, stream):
        for line in stream:
            self.said.append(line.decode("utf-8", "replace").rstrip())
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut by a kill
            self.on_event(event)

    def _stderr(self, stream):
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip()
            self.said.append("stderr: " + text)
            if BAD.search(text) and not EXPECTED.search(text):
                self.on_trouble(text)

    def running(self):
        return self.popen.poll() is None

    def pid(self):
        """Of the phone; None while there is none."""
        try:
            with open(self.children, encoding="ascii") as file:
                pids = file.read().split()
        except OSError:
            return None
        return int(pids[0]) if pids else None

    def send(self, command):
        try:
            self.popen.stdin.write((command + "\n").encode())
            self.popen.stdin.flush()
        except BrokenPipeError:
            pass  # the keeper has ended, which is noticed elsewhere

    def kill(self, kind):
        pid = self.pid()
        if pid is None or pid == self.killed:
            return False
        self.killed = pid
        os.kill(pid, signal.SIGKILL)
        self.kills[kind] += 1
        return True

    def new_pid(self, deadline_s=5):
        """The phone that came after the one that was killed last."""
        def born():
            pid = self.pid()
            if not self.running():
                raise Failure(f"the keeper has ended with {self.popen.returncode}")
            return pid if pid is not None and pid != self.killed else None
        return until(born, deadline_s, "the keeper to start the phone again", step_s=0.0002)

    def sockets(self):
        """How many sockets the keeper holds beside its own two (the notify socket; stdio are pipes)."""
        count = 0
        for fd in os.listdir(f"/proc/{self.popen.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.popen.pid}/fd/{fd}").startswith("socket:")
            except OSError:
                pass
        return count

    def files(self):
        """(records as number -> Call-ID, other names) in the state directory."""
        records, others = {}, []
        dialogs = os.path.join(self.state, "dialogs")
        for name in sorted(os.listdir(dialogs)):
            found = re.fullmatch(r"([1-9]\d{0,5})\.json", name)
            if not found:
                others.append(name)
                continue
            try:
                with open(os.path.join(dialogs, name), encoding="utf-8") as file:
                    records[int(found.group(1))] = json.load(file)["call_id"]
            except (FileNotFoundError, ValueError):
                pass  # removed or exchanged under our hands; looked at again if it matters
        return records, others, sorted(set(os.listdir(self.state)) - {"dialogs"})

    def memory_kb(self):
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def quit(self, deadline_s=15):
        self.send("quit")
        try:
            return self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.end()
            return None

    def end(self):
        """The phone first: the keeper would start it again."""
        if self.running():
            self.popen.send_signal(signal.SIGTERM)
            pid = self.pid()
            if pid:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Killer:
    """Kills in a thread of its own, by dice. `may_kill()` is asked with the lock held."""

    KINDS = (("at random", 45), ("after a message", 30), ("in a row", 10), ("while restoring", 10), ("paused", 5))

    def __init__(self, victim, wire, dice, lock, may_kill, limit, pace_s):
        self.victim, self.wire, self.dice, self.lock = victim, wire, dice, lock
        self.may_kill, self.limit, self.pace_s = may_kill, limit, pace_s
        self.paused = threading.Event()
        self.idle = threading.Event()
        self.stop = threading.Event()
        self.failure = None
        self.total = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def hold(self):
        """No kill after this returns, until go()."""
        self.paused.set()
        until(lambda: self.idle.is_set() or not self.thread.is_alive(), 10, "the killer to pause", step_s=0.001)

    def go(self):
        self.idle.clear()
        self.paused.clear()

    def done(self):
        return self.total >= self.limit

    def _run(self):
        try:
            while not self.stop.is_set() and not self.done():
                if self.paused.is_set():
                    self.idle.set()
                    self.stop.wait(0.002)
                    continue
                kinds, weights = zip(*self.KINDS)
                self._step(self.dice.choices(kinds, weights)[0])
        except Exception as error:
            self.failure = error
        self.idle.set()

    def _step(self, kind):
        dice = self.dice
        if kind == "after a message":
            self._wait(dice.uniform(0, self.pace_s))
            with self.lock:
                self.wire.message.wait(0.5)
            self._wait(dice.uniform(0, 0.003))
        else:
            self._wait(dice.uniform(0.2, 2) * self.pace_s)
        if kind == "paused":
            self._pause()
        if not self._kill(kind):
            return
        again = {"in a row": 1, "while restoring": dice.randint(1, 4)}.get(kind, 0)
        for _ in range(again):
            self.victim.new_pid()
            self._wait(dice.uniform(0, 0.030 if kind == "in a row" else 0.006))
            self._kill(kind)
        self.victim.new_pid()

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        while not self.stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    def _kill(self, kind):
        """Waits for the instant at which it may, half a second at most."""
        end = time.monotonic() + 0.5
        while not self._try_kill(kind):
            if time.monotonic() >= end or self.paused.is_set() or self.stop.is_set() or self.done():
                return False
            time.sleep(0.001)
        return True

    def _try_kill(self, kind):
        with self.lock:
            if self.paused.is_set() or self.stop.is_set() or self.done() or not self.may_kill():
                return False
            if not self.victim.kill(kind):
                return False
            self.total += 1
            self.wire.mark(f"SIGKILL {self.total} ({kind})")
            return True

    def _pause(self):
        """Stopped for a while; then half of the time it is killed where it stands."""
        pid = self.victim.pid()
        if pid is None:
            return
        with self.lock:
            if not self.may_kill():
                return
            os.kill(pid, signal.SIGSTOP)
            self.wire.mark("SIGSTOP")
        self._wait(self.dice.uniform(0.02, 0.6))
        with self.lock:
            if self.dice.random() < 0.5:
                os.kill(pid, signal.SIGCONT)
                self.wire.mark("SIGCONT")
                return
        if not self._kill("paused"):
            os.kill(pid, signal.SIGCONT)
