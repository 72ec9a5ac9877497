"""A process that the test started: its log files, its exit status, its end by pid."""

import os
import signal
import subprocess

from .waiting import Failure, until


class Process:
    def __init__(self, name, arguments, directory, stdin=subprocess.DEVNULL, stdout=None, extra_env=None):
        self.name = name
        self.directory = directory
        self.log_path = os.path.join(directory, name + ".log")
        self.arguments = [str(a) for a in arguments]
        with open(self.log_path, "ab") as log:
            log.write(("$ " + " ".join(self.arguments) + "\n").encode())
            log.flush()
            self.popen = subprocess.Popen(
                self.arguments, cwd=directory, stdin=stdin, stdout=stdout or log, stderr=log,
                env={**os.environ, "LC_ALL": "C.UTF-8", **(extra_env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.running():
            os.kill(self.popen.pid, number)

    def wait_exit(self, deadline_s):
        """The exit status; negative: the signal that ended it."""
        try:
            return self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} (pid {self.pid}) has not ended after {deadline_s:g} s") from None

    def kill9(self):
        self.signal(signal.SIGKILL)
        return self.popen.wait()

    def freeze(self):
        """Stops the process where it is: its sockets stay open and answer nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def idle(self):
        """Its main thread waits for something, or has been stopped, or has ended."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] in "STZ"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def stop(self, deadline_s=2):
        """SIGTERM, and SIGKILL when that is not heard."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill9()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_log(self, text, deadline_s=5):
        def found():
            if text in self.log():
                return True
            if not self.running():
                raise Failure(f"{self.name} ended with {self.popen.returncode} before it said {text!r}")
            return False
        until(found, deadline_s, f"{self.name} to say {text!r}")


def alive(pid):
    """Whether the process runs or waits; one that has ended and that nobody has asked for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listening(transport, address, port):
    """Whether a socket of this network namespace is bound to address and port."""
    import ipaddress
    ip = ipaddress.ip_address(address)
    raw = ip.packed
    words = [raw[i:i + 4][::-1].hex().upper() for i in range(0, len(raw), 4)]
    wanted = "".join(words) + f":{port:04X}"
    path = f"/proc/net/{transport}" + ("6" if ip.version == 6 else "")
    with open(path, encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[1] == wanted and (transport == "udp" or fields[3] == "0A"):
                return True
    return False
