"""The tested program: started, commanded over stdin, killed, started again, its JSON events read."""

import json
import os
import subprocess
import threading
import time

from .process import Process
from .waiting import Failure, check


class Phone:
    """One phone with its state directory. A restart uses the same arguments and the same directory."""

    def __init__(self, env, name="phone", user="alice", address="127.0.0.1", port=5060, transport=None,
                 resume="ask", audio="silence", state=None, options=(), rtp_ports=(20000, 29999),
                 launcher=()):
        self.env = env
        self.launcher = list(launcher)  # what starts the program, if not we
        self.name = name
        self.address = address
        self.port = port
        self.transport = transport
        self.state = state or os.path.join(env.directory, "state-" + name)
        host = f"[{address}]" if ":" in address else address
        self.uri = f"sip:{user}@{host}:{port}" + (f";transport={transport}" if transport == "tcp" else "")
        listen = f"{host}:{port}" + (f";transport={transport}" if transport else "")
        self.base = ["--aor", f"sip:{user}@{host}", "--listen", listen, "--state", self.state,
                     "--audio", audio, "--rtp-ports", f"{rtp_ports[0]}-{rtp_ports[1]}"]
        if os.environ.get("STORE_DELAY"):  # a debug or asan build
            self.base += ["--store-delay", os.environ["STORE_DELAY"]]
        self.resume = resume
        self.rtp_ports = rtp_ports
        self.options = list(options)
        self.runs = 0
        self.process = None
        self.reader = None
        self.events = []
        self.condition = threading.Condition()
        self.ended = True
        self.killed_at = None  # just before
        self.gone_at = None    # just after
        env.at_end(self.finish)

    def arguments(self, resume=None, extra=()):
        return [*self.base, f"--resume={resume or self.resume}", "--json", *self.options, *extra]

    def launch(self, extra=(), resume=None, interactive=True):
        """Starts it without waiting for anything."""
        check(self.ended, f"{self.name} is still running")
        self.runs += 1
        tail = ["--interactive"] if interactive else []
        read_end, write_end = os.pipe()
        self.events = []
        self.ended = False
        self.process = Process(f"{self.name}-{self.runs}", [*self.launcher, self.env.binary, *self.arguments(resume, extra), *tail],
                               self.env.directory, stdin=subprocess.PIPE if interactive else subprocess.DEVNULL,
                               stdout=write_end)
        os.close(write_end)
        self.reader = threading.Thread(target=self._read, args=(read_end, self.process), daemon=True)
        self.reader.start()
        return self

    def start(self, extra=(), resume=None, interactive=True, deadline_s=5):
        self.launch(extra, resume, interactive)
        self.wait("ready", deadline_s=deadline_s)
        return self

    def _read(self, fd, process):
        with os.fdopen(fd, encoding="utf-8", errors="replace") as lines, \
                open(process.log_path, "a", encoding="utf-8") as log:
            for line in lines:
                log.write(line)
                log.flush()
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "(not JSON)", "text": line}
                event["(seen)"] = time.time()
                with self.condition:
                    self.events.append(event)
                    self.condition.notify_all()
        with self.condition:
            self.ended = True
            self.condition.notify_all()

    def wait(self, name, deadline_s=5, **fields):
        """The first event of this run with that name and those fields that no wait has returned yet."""
        names = name.split("|")
        def fits(event):
            # An error that names no command belongs to the one that was typed last.
            return event.get("event") in names and "(taken)" not in event and all(
                event.get(k, v if event["event"] == "error" else None) == v for k, v in fields.items())
        def find():
            for event in self.events:
                if fits(event):
                    event["(taken)"] = True
                    return event
            return None
        wanted = name + "".join(f" {k}={v}" for k, v in fields.items())
        end = time.monotonic() + deadline_s
        with self.condition:
            while True:
                event = find()
                if event is not None:
                    return event
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    why = "ended" if self.ended else f"was still running after {deadline_s:g} s"
                    raise Failure(f"{self.name} did not say {wanted!r}; it {why}. It said:\n" + self.said())
                self.condition.wait(left)

    def seen(self, name, **fields):
        with self.condition:
            return [e for e in self.events if e.get("event") == name
                    and all(e.get(k) == v for k, v in fields.items())]

    def said(self, last=15):
        return "\n".join("    " + json.dumps({k: v for k, v in e.items() if k[0] != "("}) for e in self.events[-last:])

    def send(self, command):
        """Types a command and waits for nothing."""
        with open(self.process.log_path, "a", encoding="utf-8") as log:
            log.write(f"> {command}\n")
        try:
            self.process.popen.stdin.write((command + "\n").encode())
            self.process.popen.stdin.flush()
        except BrokenPipeError:
            raise Failure(f"{self.name} has ended before {command!r}. It said:\n" + self.said()) from None

    def do(self, command, deadline_s=10):
        """Types a command and waits until it has finished well."""
        event = self.result(command, deadline_s)
        check(event["event"] == "ok", f"{command!r} failed: {event.get('text')}")
        return event

    def fails(self, command, deadline_s=10):
        """Types a command that must fail; the event that says why."""
        event = self.result(command, deadline_s)
        check(event["event"] == "error", f"{command!r} should have failed")
        return event

    def result(self, command, deadline_s):
        """How that command ended; one typed earlier and still running is not mistaken for it."""
        self.send(command)
        return self.wait("ok|error", deadline_s, command=command)

    def kill9(self):
        """SIGKILL, and gone: the pipe is read to its end."""
        self.killed_at = time.time()
        self.process.kill9()
        self.gone_at = time.time()
        self.reader.join(5)
        return self

    def wait_exit(self, deadline_s=10):
        status = self.process.wait_exit(deadline_s)
        self.reader.join(5)
        return status

    def quit(self, deadline_s=10):
        """Ends it in the ordinary way; the status may be 1 only if something has failed."""
        self.send("quit")
        status = self.wait_exit(deadline_s)
        check(status == 0 or status == 1 and self.seen("error"), f"{self.name} ended with {status} after quit")

    def finish(self):
        """The clean-up at the end of a scenario: whatever still runs is ended by its pid."""
        if self.process is not None and self.process.running():
            self.process.thaw()
            self.process.kill9()
        if self.reader is not None:
            self.reader.join(2)

    def run(self, *arguments, deadline_s=10):
        """Runs it without a prompt to its end: exit status, events, and what it wrote to stderr."""
        self.launch(arguments, interactive=False)
        status = self.wait_exit(deadline_s)
        return status, list(self.events), self.process.log()

    def keeps_records(self):
        return "--no-journal" not in self.options

    def record_path(self, number=1):
        return os.path.join(self.state, "dialogs", f"{number}.json")

    def record(self, number=1):
        with open(self.record_path(number), encoding="utf-8") as file:
            return json.load(file)

    def from_here(self, message):
        """Whether a captured message left this phone for somebody else (and not for its own stand-in)."""
        return message.source[0] == self.address and message.destination[0] not in (self.address, "127.0.0.1", "::1")

    def to_here(self, message):
        return message.destination[0] == self.address and message.source[0] not in (self.address, "127.0.0.1", "::1")
