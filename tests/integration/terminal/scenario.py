"""At a terminal under the keeper: after a death the line that was being typed is back, but for secrets; when the phone is not
started again the terminal is as it was; and a killed keeper leaves the phone to go on without a prompt."""

import os
import shlex
import signal
import subprocess

from lib.process import alive
from lib.waiting import check, until

VARIANTS = ["line", "secret", "left_sane", "keeper_killed"]


class Terminal:
    """An interactive shell in a tmux window, in which the phone is started."""

    def __init__(self, env):
        self.name = f"terminal-{os.getpid()}"
        self.environment = {**os.environ, "INPUTRC": "/dev/null", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PS1": "$ ",
                            "TMUX_TMPDIR": env.directory}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "40", "bash", "--norc", "-i")
        env.at_end(lambda: self.tmux("kill-server"))
        self.sees("$", last=True)

    def tmux(self, *words):
        return subprocess.run(["tmux", "-L", self.name, *words], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def key(self, *names):
        self.tmux("send-keys", *names)

    def screen(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p", "-S", "-200").rstrip().split("\n")]

    def sees(self, text, deadline_s=10, last=False):
        """`last`: as the last line, where one types."""
        def shown():
            lines = self.screen()
            return lines[-1] == text if last else any(text in line for line in lines)
        until(shown, deadline_s, lambda: f"{text!r} on the screen:\n    " + "\n    ".join(self.screen()[-15:]))

    def foreground(self):
        return self.tmux("display-message", "-p", "#{pane_current_command}").strip()

    def settings(self):
        tty = self.tmux("display-message", "-p", "#{pane_tty}").strip()
        return subprocess.run(["stty", "-F", tty, "-a"], check=True, capture_output=True, text=True).stdout


class Kept:
    """The phone under its keeper in that terminal, in a call."""

    def __init__(self, env, terminal):
        self.state = env.path("state")
        self.env = env
        env.capture
        self.peer = env.sipp("peer_called.xml")
        keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
        terminal.type(shlex.join([keeper, "--", env.binary, "--aor", "sip:alice@127.0.0.1", "--listen", "127.0.0.1:5060",
                                  "--state", self.state, "--audio", "tone:440"]))
        terminal.key("Enter")
        terminal.sees("listening on 127.0.0.1:5060")
        terminal.sees("revenant>", last=True)
        terminal.type(f"call {self.peer.uri}")
        terminal.key("Enter")
        terminal.sees("call 1: established")
        terminal.sees("revenant (1 call)>", last=True)

    def pid(self):
        with open(os.path.join(self.state, "lock"), encoding="ascii") as file:
            return int(file.read() or 0)

    def keeper(self):
        with open(f"/proc/{self.pid()}/stat", encoding="utf-8") as file:
            return int(file.read().rpartition(")")[2].split()[1])

    def dies(self, terminal):
        before = self.pid()
        os.kill(before, signal.SIGKILL)
        terminal.sees("started again")
        until(lambda: self.pid() != before, 5, "the next life")
        terminal.sees("ledger: call 1 survived")


def line(env):
    terminal = Terminal(env)
    kept = Kept(env, terminal)
    terminal.type("info 1 some txt")
    terminal.key("Left", "Left")
    terminal.sees("revenant (1 call)> info 1 some txt", last=True)
    kept.dies(terminal)
    terminal.sees("revenant (1 call)> info 1 some txt", last=True)
    terminal.type("e")  # where the cursor was
    terminal.sees("revenant (1 call)> info 1 some text", last=True)
    terminal.key("Enter")
    env.capture.wait("the INFO", lambda m: m.method == "INFO" and b"some text" in m.body)
    # What has been entered does not come back.
    terminal.sees("revenant (1 call)>", last=True)
    kept.dies(terminal)
    terminal.sees("revenant (1 call)>", last=True)
    terminal.type("quit")
    terminal.key("Enter")
    terminal.sees("$", last=True)


def secret(env):
    terminal = Terminal(env)
    kept = Kept(env, terminal)
    for typed in ("key realm alice pa55word", "k realm alice 'pa55word", "kye realm alice pa55word", " calls"):
        terminal.type(typed)
        terminal.sees(f"revenant (1 call)> {typed}", last=True)
        kept.dies(terminal)
        terminal.sees("revenant (1 call)>", last=True)
    with open(f"/proc/{kept.keeper()}/maps", encoding="utf-8") as file:
        slate = next(entry for entry in file if "memfd:slate" in entry)
    begin, end = (int(number, 16) for number in slate.split()[0].split("-"))
    with open(f"/proc/{kept.keeper()}/mem", "rb") as memory:
        memory.seek(begin)
        check(b"realm" not in memory.read(end - begin), "a secret is in the memory that both share")
    terminal.type("quit")
    terminal.key("Enter")
    terminal.sees("$", last=True)


def found_by_a_program(terminal):
    """The settings that the shell's next program finds."""
    terminal.type("cat")
    terminal.key("Enter")
    until(lambda: " icanon" in terminal.settings(), 5, lambda: "cat to run: " + terminal.settings())
    settings = terminal.settings()
    terminal.key("C-d")
    terminal.sees("$", last=True)
    return settings


def left_sane(env):
    """The phone is stopped and its keeper asked to end: it dies by SIGKILL, without a word to the terminal."""
    terminal = Terminal(env)
    before = found_by_a_program(terminal)
    kept = Kept(env, terminal)
    terminal.type("half a line")
    terminal.sees("revenant (1 call)> half a line", last=True)
    keeper = kept.keeper()
    os.kill(kept.pid(), signal.SIGSTOP)
    os.kill(keeper, signal.SIGTERM)
    terminal.sees("did not end within 5 s", 10)
    until(lambda: not alive(keeper), 5, "the keeper to end")
    terminal.sees("$", last=True)
    after = found_by_a_program(terminal)
    check(after == before, f"the settings were\n{before}and are\n{after}")


def keeper_killed(env):
    terminal = Terminal(env)
    kept = Kept(env, terminal)
    pid = kept.pid()
    os.kill(kept.keeper(), signal.SIGKILL)
    terminal.sees("the keeper is dead")
    until(lambda: terminal.foreground() == "bash", 5, lambda: f"the shell, not {terminal.foreground()}, to have the terminal")
    terminal.type("echo the shell $((6 * 7))")
    terminal.key("Enter")
    terminal.sees("the shell 42", 5)
    since = env.capture.sync().datagrams[-1].time
    env.capture.wait_rtp("of the phone", lambda r: r.source[0] == "127.0.0.1", 100, since=since)
    check(kept.pid() == pid, "another process goes on")
    os.kill(pid, signal.SIGTERM)
    env.capture.wait("its BYE", lambda m: m.method == "BYE" and m.destination[0] == "127.0.0.2")
    until(lambda: not alive(pid), 5, "the phone to end")


def run(env):
    globals()[env.variant](env)
