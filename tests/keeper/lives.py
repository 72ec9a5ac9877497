"""A keeper under test, and the lives of its phone."""
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

# As they are on the command line of tests/keeper/run.
KEEPER, PHONE = [*map(os.path.abspath, sys.argv[1:3]), "", ""][:2]
DEADLINE = 20.0


def octets(text, extra=0):
    return f"raw {text.encode('latin1').hex()} {extra}"


class Life:
    """One start of the phone: how it was started, and the connection that tells it what to do."""

    def __init__(self, connection):
        self.lines = connection.makefile("r", newline="\n")
        self.connection = connection
        connection.settimeout(DEADLINE)
        word, pid, self.notify, watchdog, self.death, count, *fds = self.lines.readline().split()
        assert word == "started", word
        self.pid, self.watchdog, self.count = int(pid), int(watchdog), int(count)
        self.fds = [(name, int(port)) for name, port in (fd.split("=") for fd in fds)]

    def tell(self, line):
        self.connection.sendall(line.encode() + b"\n")

    def hear(self):
        return self.lines.readline().rstrip("\n")

    def do(self, line):
        self.tell(line)
        return self.hear()

    def store(self, name, count=1, batch=1):
        word, *ports = self.do(f"store {name} {count} {batch}").split()
        assert word == "stored", (word, ports)
        assert self.do("barrier") == "1"
        return [(name, int(port)) for port in ports]

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def close(self):
        self.lines.close()
        self.connection.close()


class KeeperCase(unittest.TestCase):
    """A keeper and its phone, and what a test does with them."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="keeper-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.control = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.control.close)
        self.path = os.path.join(self.directory, "control")
        self.control.bind(self.path)
        self.control.listen(8)
        self.control.settimeout(DEADLINE)
        self.stderr = ""
        self.keeper = None

    def start(self, *options, caught=(), program=None, **more):
        if "--watchdog" not in options:  # most of these phones ping nobody
            options = ("--watchdog", "0", *options)
        command = [KEEPER, *options, "--", program or PHONE, self.path, *(str(int(s)) for s in caught)]
        more.setdefault("stdin", subprocess.DEVNULL)
        self.keeper = subprocess.Popen(command, stderr=subprocess.PIPE, **more)
        os.set_blocking(self.keeper.stderr.fileno(), False)
        self.addCleanup(self.stop, self.keeper)
        return self.life()

    @staticmethod
    def stop(keeper):
        if keeper.poll() is None:
            keeper.kill()
            keeper.wait()
        if keeper.stderr:
            keeper.stderr.close()

    def life(self):
        connection, _ = self.control.accept()
        life = Life(connection)
        self.addCleanup(life.close)
        return life

    def no_life(self, seconds):
        self.control.settimeout(seconds)
        with self.assertRaises(TimeoutError):
            self.control.accept()
        self.control.settimeout(DEADLINE)

    def said(self, text):
        """Waits until the keeper has said the text on stderr."""
        end = time.monotonic() + DEADLINE
        while text not in self.stderr:
            left = end - time.monotonic()
            self.assertGreater(left, 0, f"the keeper did not say {text!r} but {self.stderr!r}")
            select.select([self.keeper.stderr], [], [], left)
            got = self.keeper.stderr.read()
            self.assertNotEqual(got, b"", f"the keeper ended after {self.stderr!r}")
            self.stderr += (got or b"").decode()

    def ends(self):
        return self.keeper.wait(DEADLINE)

    def descriptors(self):
        return sorted(int(fd) for fd in os.listdir(f"/proc/{self.keeper.pid}/fd"))


def low_limit(count):
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
    # Root could raise it again.
    import ctypes
    ctypes.CDLL(None).prctl(24, 24)  # PR_CAPBSET_DROP, CAP_SYS_RESOURCE


def take_terminal(fd):
    import fcntl
    import termios
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)


def stat_fields(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def parent_of(pid):
    return int(stat_fields(pid)[1])


def wait_for_state(pid, state):
    end = time.monotonic() + DEADLINE
    while stat_fields(pid)[0] != state:
        if time.monotonic() > end:
            raise AssertionError(f"process {pid} is {stat_fields(pid)[0]}, not {state}")
        select.select([], [], [], 0.01)
