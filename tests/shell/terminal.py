"""A program in a tmux of its own: what is typed into it, and what a user sees of it."""
import os
import shlex
import subprocess
import time

DEADLINE_S = 10


def wait_for(what, look):
    """The first true result of `look`, or a failure that says `what` was missing."""
    end = time.monotonic() + DEADLINE_S
    while True:
        result = look()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.01)


class Terminal:
    """The program in a tmux window of 60 columns."""

    def __init__(self, program, folder, width=60, height=20, arguments=None, before=""):
        self.folder = folder
        self.history = os.path.join(folder, "history")
        self.name = f"revenant-{os.getpid()}-{os.path.basename(folder)}"
        pid_file = os.path.join(folder, "pid")
        line = " ".join(map(shlex.quote, [program, self.history] if arguments is None else arguments))
        # The wrapper stays behind, so that the screen can be read after the end.
        script = (f"cd {shlex.quote(folder)}; {before} "
                  f"sh -c 'echo $$ > {pid_file}.part; mv {pid_file}.part {pid_file}; exec \"$@\"' - {line}; "
                  f"echo \"status $?\"; stty -a | tr ';' '\\n' | grep -ow -e '-*icanon' -e '-*echo' "
                  f"-e '-*ixon' | tr '\\n' ' '; exec cat")
        environment = dict(os.environ, INPUTRC="/dev/null", LC_ALL="C.UTF-8", HOME=folder)
        environment.pop("TMUX", None)
        environment.pop("NO_COLOR", None)
        environment.pop("XDG_CONFIG_HOME", None)
        self.environment = environment
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                  "sh", "-c", script)
        wait_for("the pid", lambda: os.path.exists(pid_file))
        with open(pid_file) as file:
            self.pid = int(file.read())

    def tmux(self, *words):
        return subprocess.run(["tmux", "-L", self.name, *words], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], env=self.environment,
                       capture_output=True)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def key(self, *names):
        self.tmux("send-keys", *names)

    def signal(self, number):
        os.kill(self.pid, number)

    def screen(self):
        """What is on the screen, without the empty lines at its end."""
        lines = self.tmux("capture-pane", "-p").split("\n")
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def cursor(self):
        x, y = self.tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    def sees(self, *lines):
        """Waits until the screen is exactly `lines`."""
        wanted = list(lines)
        try:
            wait_for("", lambda: self.screen() == wanted)
        except AssertionError:
            shown = "\n  ".join(self.screen())
            raise AssertionError("the screen is\n  " + shown + "\nnot\n  " + "\n  ".join(wanted))

    def cursor_at(self, x, y):
        wait_for(f"the cursor at {x},{y}; it is at {self.cursor()}", lambda: self.cursor() == (x, y))

    def saved(self):
        if not os.path.exists(self.history):
            return []
        with open(self.history) as file:
            return file.read().splitlines()
