"""A phone that hangs."""
import os
import signal
import subprocess

from lives import KEEPER, PHONE, KeeperCase


class WatchdogTests(KeeperCase):
    def test_a_phone_that_does_not_ping_is_killed(self):
        life = self.start("--watchdog", "0.3")
        self.assertEqual(life.watchdog, 300000)
        life.do("notify READY=1")
        for _ in range(5):
            self.no_life(0.15)
            life.do("notify WATCHDOG=1")
        self.assertEqual(life.death, "-")
        life = self.life()
        self.said("phone hung for 0.3 s: killed, started again")
        self.assertEqual(life.death, "hung_for_0.3_s")
        life.do("notify WATCHDOG=trigger")
        self.said("phone said that it hangs: killed, started again")
        life = self.life()
        life.kill()
        self.assertEqual(self.life().death, "-")

    def test_until_it_is_ready_it_may_be_silent_two_and_a_half_times_as_long(self):
        life = self.start("--watchdog", "0.4")
        self.no_life(0.8)
        life.do("notify STATUS=still starting")
        self.no_life(0.8)
        life = self.life()
        self.said("phone hung for 1 s (its last status: still starting): killed, started again")
        life.do("notify READY=1")
        self.life()
        self.said("phone hung for 0.4 s: killed, started again")

    def test_a_phone_may_change_its_limit(self):
        life = self.start("--watchdog", "0.3")
        life.do(r"notify READY=1\nWATCHDOG_USEC=900000")
        self.no_life(0.8)
        self.life()
        self.said("phone hung for 0.9 s: killed")

    def test_the_limit_is_2_s_unless_told(self):
        self.assertEqual(self.start("--watchdog", "2").watchdog, 2000000)
        self.keeper.terminate()
        self.ends()
        self.keeper = subprocess.Popen([KEEPER, PHONE, self.path], stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop, self.keeper)
        self.assertEqual(self.life().watchdog, 2000000)

    def test_a_watchdog_of_0_is_none(self):
        os.environ["WATCHDOG_USEC"] = "1"
        self.addCleanup(os.environ.pop, "WATCHDOG_USEC")
        self.assertEqual(self.start("--watchdog", "0").watchdog, 0)

    def test_a_phone_that_waits_for_its_disk_is_not_killed(self):
        life = self.start("--watchdog", "0.3")
        self.assertEqual(life.do("slate"), "1")
        life.do("notify READY=1")
        self.assertEqual(life.do("disk 1"), "disk")
        self.no_life(1)
        self.assertEqual(life.do("disk 0"), "disk")
        life = self.life()
        self.said("phone hung for 0.3 s: killed")
        # What the dead one said of itself is not believed of the next.
        life.do("notify READY=1")
        self.life()

    def test_a_phone_that_hangs_and_was_asked_to_end_is_not_started_again(self):
        life = self.start("--watchdog", "0.3")
        self.assertEqual(life.do("slate"), "1")
        life.do("asked 15")
        self.assertEqual(self.ends(), 128 + signal.SIGKILL)

    def test_a_slate_that_could_shrink_is_not_looked_at(self):
        life = self.start("--watchdog", "0.3")
        self.assertEqual(life.do("slate unsealed"), "1")
        life.do("notify READY=1")
        life.do("disk 1")
        self.life()

    def test_a_stopped_phone_is_given_time_after_SIGCONT(self):
        life = self.start("--watchdog", "0.4")
        life.do("notify READY=1")
        for pid in (self.keeper.pid, life.pid):
            os.kill(pid, signal.SIGSTOP)
        self.no_life(0.8)
        for pid in (self.keeper.pid, life.pid):
            os.kill(pid, signal.SIGCONT)
        self.assertEqual(life.do("notify WATCHDOG=1"), "1")
        self.assertEqual(life.do("barrier"), "1")
