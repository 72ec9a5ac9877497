"""Signals, and the terminal."""
import os
import pty
import select
import signal
import subprocess
import time

from lives import DEADLINE, KEEPER, PHONE, KeeperCase, parent_of, take_terminal, wait_for_state

CAUGHT = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
          signal.SIGWINCH]


class SignalTests(KeeperCase):
    def test_signals_are_forwarded(self):
        life = self.start(caught=CAUGHT)
        for number in CAUGHT:
            self.keeper.send_signal(number)
            self.assertEqual(life.hear(), f"signal {int(number)}")
        life.tell("exit 0")
        self.assertEqual(self.ends(), 0)

    def test_a_phone_that_a_forwarded_signal_ends_is_not_started_again(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.start()
            self.keeper.send_signal(number)
            self.assertEqual(self.ends(), -number)
        life = self.start(caught=[signal.SIGTERM])
        self.keeper.terminate()
        life.hear()
        life.kill()
        self.assertEqual(self.ends(), 128 + signal.SIGKILL)

    def test_a_phone_has_5_s_to_end(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            life = self.start(caught=[number])
            self.keeper.send_signal(number)
            life.hear()
            begin = time.monotonic()
            time.sleep(1)
            self.keeper.send_signal(number)  # which gives it no more time
            self.assertEqual(self.ends(), 128 + signal.SIGKILL)
            self.assertGreater(time.monotonic() - begin, 4.5)
            self.assertLess(time.monotonic() - begin, 5.9)

    def test_a_phone_that_handled_SIGINT_is_started_again_later(self):
        life = self.start(caught=[signal.SIGINT])
        self.keeper.send_signal(signal.SIGINT)
        life.hear()
        life.kill()
        self.life()

    def test_on_a_terminal(self):
        leader, follower = pty.openpty()
        shell = os.path.join(self.directory, "shell")
        with open(shell, "w") as script:  # so that there is a session whose leader is not the keeper
            script.write('#!/bin/bash -i\nset -m\n"$@"\necho "stopped or ended: $?"\nread -r\nfg\nexit $?\n')
        os.chmod(shell, 0o700)
        self.keeper = subprocess.Popen(
            ["bash", "--norc", "-i", shell, KEEPER, PHONE, self.path, "2", "28"], stdin=follower, stdout=follower,
            stderr=subprocess.PIPE, start_new_session=True, preexec_fn=lambda: take_terminal(follower))
        os.set_blocking(self.keeper.stderr.fileno(), False)
        self.addCleanup(self.stop, self.keeper)
        life = self.life()
        keeper = parent_of(life.pid)
        for _ in range(20):  # Ctrl-C reaches the phone once, and does not end the keeper
            os.write(leader, b"\x03")
            self.assertEqual(life.hear(), "signal 2")
            self.assertEqual(life.do("barrier"), "1")  # the keeper has seen the signal too
        os.write(leader, b"\x1a")  # Ctrl-Z stops both, and the shell knows
        wait_for_state(life.pid, "T")
        wait_for_state(keeper, "T")
        os.write(leader, b"\n")  # "fg"
        wait_for_state(life.pid, "S")
        wait_for_state(keeper, "S")
        self.assertEqual(life.do("barrier"), "1")
        life.tell("exit 7")
        self.assertEqual(self.ends(), 7)
        os.close(leader)
        os.close(follower)

    def test_a_killed_phone_leaves_the_terminal_as_it_was(self):
        import termios
        leader, follower = pty.openpty()
        before = termios.tcgetattr(follower)
        self.keeper = subprocess.Popen([KEEPER, PHONE, self.path], stdin=follower, stdout=follower,
                                       stderr=subprocess.PIPE, start_new_session=True,
                                       preexec_fn=lambda: take_terminal(follower))
        os.set_blocking(self.keeper.stderr.fileno(), False)
        self.addCleanup(self.stop, self.keeper)
        life = self.life()
        raw = termios.tcgetattr(follower)
        raw[1] &= ~termios.OPOST
        raw[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(follower, termios.TCSANOW, raw)
        life.kill()
        life = self.life()
        self.assertEqual(termios.tcgetattr(follower), before)
        life.tell("exit 0")
        self.assertEqual(self.ends(), 0)
        os.close(leader)
        os.close(follower)

    def test_its_words_take_the_place_of_a_dead_prompt(self):
        for terminal, begin in (("xterm", b"prompt> \x1b[?2004l\r\x1b[Krevenant-keeper: "), ("dumb", b"prompt> revenant-keeper: ")):
            leader, follower = pty.openpty()
            self.keeper = subprocess.Popen([KEEPER, PHONE, self.path], stdin=follower, stdout=follower, stderr=follower,
                                           start_new_session=True, preexec_fn=lambda: take_terminal(follower),
                                           env={**os.environ, "TERM": terminal})
            self.addCleanup(self.stop, self.keeper)
            life = self.life()
            os.write(follower, b"prompt> ")
            life.kill()
            seen = b""
            while b"started again" not in seen:
                self.assertTrue(select.select([leader], [], [], DEADLINE)[0], seen)
                seen += os.read(leader, 4096)
            self.assertIn(begin, seen)
            life = self.life()
            life.tell("exit 0")
            self.assertEqual(self.ends(), 0)
            os.close(leader)
            os.close(follower)
