"""How the phone ends, and what the keeper does then."""
import os
import shutil
import signal
import time

from lives import PHONE, KeeperCase


class EndTests(KeeperCase):
    def test_exit_statuses_are_passed_on(self):
        for status in (0, 1, 2, 3, 77, 255):
            self.start().tell(f"exit {status}")
            self.assertEqual(self.ends(), status)

    def test_status_88_asks_for_a_start_without_back_off(self):
        life = self.start("--burst", "1")
        stored = life.store("sip")
        for _ in range(10):
            life.tell("exit 88")
            life = self.life()
            self.assertEqual(life.fds, stored)
        self.assertNotIn("next start", self.stderr)

    def test_status_88_starts_the_new_binary(self):
        program = os.path.join(self.directory, "upgraded")
        shutil.copy(PHONE, program)
        life = self.start(program=program)
        os.rename(shutil.copy(PHONE, program + ".new"), program)
        life.tell("exit 88")
        life = self.life()
        new = os.stat(program)
        self.assertEqual(os.stat(f"/proc/{life.pid}/exe").st_ino, new.st_ino)
        # A program that is not there for a moment costs a wait, not the sockets.
        stored = life.store("sip")
        os.rename(program, program + ".away")
        life.tell("exit 88")
        self.said("No such file or directory; the next start is in")
        os.rename(program + ".away", program)
        self.assertEqual(self.life().fds, stored)

    def test_any_signal_is_a_reason_to_start_again(self):
        life = self.start("--burst", "0")
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGALRM, signal.SIGQUIT, signal.SIGUSR1,
                       signal.SIGPIPE, signal.SIGRTMAX):
            life.do("notify STATUS=five\x1b calls")
            life.kill(number)
            life = self.life()
        self.said("was killed by SIGSEGV (its last status: five? calls), started again")

    def test_a_phone_that_somebody_asked_to_end_is_not_started_again(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.start().kill(number)
            self.assertEqual(self.ends(), -number)

    def test_short_lives_that_came_up_are_waited_for_less_than_a_second(self):
        life = self.start()
        for _ in range(10):
            life.do("notify READY=1")
            self.assertEqual(life.do("barrier"), "1")
            begin = time.monotonic()
            life.kill()
            life = self.life()
            self.assertLess(time.monotonic() - begin, 1)

    def test_fast_deaths_are_followed_by_longer_and_longer_waits(self):
        life = self.start()
        for _ in range(4):
            life.kill()
            life = self.life()
        for wait in (0.5, 1, 2):
            begin = time.monotonic()
            life.kill()
            self.said(f"next start is in {wait:g} s")
            life = self.life()
            self.assertGreaterEqual(time.monotonic() - begin, wait - 0.01)
        life.kill()
        self.said("next start is in 4 s")
        self.keeper.terminate()
        self.assertEqual(self.ends(), -signal.SIGTERM)
