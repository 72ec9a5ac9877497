"""What the keeper holds for its phone."""
import random
import select
import signal
import socket
import time

from lives import DEADLINE, KeeperCase, low_limit, octets


class StoreTests(KeeperCase):
    def test_sockets_survive_100_kills_with_names_in_order(self):
        random.seed(7)
        life = self.start("--burst", "0")
        self.assertEqual(life.count, 0)
        stored = []
        for name in ("sip-udp", "sip-tcp", "rtp-1", "rtp-1", "control"):
            stored += life.store(name)
        before = self.descriptors()
        for number in range(100):
            if random.random() < 0.3:  # in the middle of something
                life.tell(octets("FDSTORE=1\nFDNAME=a:b\nFDSTOREREMOVE=1", 2) if number % 2 else "barrier")
            life.kill()
            life = self.life()
            self.assertEqual(life.fds, stored)
        self.assertEqual(life.do(f"strangers {life.count}"), "fds")
        self.assertEqual(self.descriptors(), before)

    def test_datagrams_sent_while_the_phone_is_dead_are_read_by_the_next(self):
        life = self.start("--burst", "1")  # the first death is followed by 0.5 s of nobody
        (_, port), = life.store("rtp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect(("127.0.0.1", port))
            life.kill()
            self.said("next start is in 0.5 s")
            for number in range(50):
                peer.send(b"%d" % number)  # an ICMP error would fail the next send
            self.no_life(0.2)
            life = self.life()
            self.assertEqual(life.do("receive 0"), "received " + " ".join(map(str, range(50))))
            self.assertEqual(peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)

    def test_what_the_dying_phone_said_last_is_heeded(self):
        life = self.start("--burst", "0")
        for _ in range(20):
            life.tell(f"leave {int(signal.SIGKILL)}")
            count, life = life.count, self.life()
            self.assertEqual(life.count, count + 1)
            self.assertEqual(life.fds[-1][0], "last")

    def test_removal_takes_all_of_a_name_and_keeps_the_order(self):
        life = self.start("--burst", "0")
        a, b, c = life.store("a", 3), life.store("b", 2, batch=2), life.store("c", 2)
        held = len(self.descriptors())
        self.assertEqual(life.do(r"notify FDSTOREREMOVE=1\nFDNAME=b"), "1")
        self.assertEqual(life.do(r"notify FDSTOREREMOVE=1\nFDNAME=nobody"), "1")
        self.assertEqual(life.do("barrier"), "1")
        self.assertEqual(len(self.descriptors()), held - 2)
        d = life.store("d", 4, batch=4)
        life.do(r"notify FDSTOREREMOVE=1\nFDNAME=a")
        life.kill()
        life = self.life()
        self.assertEqual(life.fds, c + d)
        e = life.store("e", 1)
        for name in "cde":
            life.do(rf"notify FDSTOREREMOVE=1\nFDNAME={name}")
        life.kill()
        life = self.life()
        self.assertEqual((life.fds, len(self.descriptors())), ([], held - 7))
        self.assertEqual(len(a + b + e), 6)

    def test_descriptors_are_put_in_order_while_the_phone_lives(self):
        life = self.start()
        life.store("a", 5)
        life.store("b", 5)
        life.do(r"notify FDSTOREREMOVE=1\nFDNAME=a")
        end = time.monotonic() + DEADLINE
        while self.descriptors()[:8] != list(range(8)):
            self.assertLess(time.monotonic(), end, self.descriptors())
            select.select([], [], [], 0.01)

    def test_random_stores_and_removals_against_a_model(self):
        random.seed(3)
        life, model = self.start("--burst", "0"), []
        for number in range(150):
            name = random.choice("abcdefgh")
            if random.random() < 0.6:
                model += life.store(name, random.randint(1, 6), batch=random.randint(1, 6))
            else:
                life.do(rf"notify FDSTOREREMOVE=1\nFDNAME={name}")
                model = [fd for fd in model if fd[0] != name]
            if number % 5 == 0:
                life.kill()
                life = self.life()
                self.assertEqual(life.fds, model)

    def test_the_same_socket_stored_again_is_held_once(self):
        life = self.start("--burst", "0")
        stored = life.store("rtp", 2)
        life.kill()
        life = self.life()
        self.assertEqual((life.do("again 0"), life.do("again 1"), life.do("barrier")), ("1", "1", "1"))
        life.kill()
        self.assertEqual(self.life().fds, stored)

    def test_many_sockets(self):
        life = self.start("--burst", "0")
        stored = life.store("r", 3000, batch=253)
        life.kill()
        life = self.life()
        self.assertEqual(life.fds, stored)

    def test_the_limit_is_reported(self):
        life = self.start("--burst", "0", preexec_fn=lambda: low_limit(400))
        life.store("r", 120)
        self.said("refused: a socket: 97 are held, which is the limit")
        life.kill()
        self.assertEqual(self.life().count, 97)

    def test_names_that_fill_the_environment_are_refused(self):
        life = self.start("--burst", "0")
        life.store("n" * 250, 600, batch=200)
        self.said("fill LISTEN_FDNAMES")
        life.kill()
        self.assertEqual(self.life().count, 522)

    def test_broken_messages_do_no_harm(self):
        life = self.start("--burst", "0")
        stored = life.store("good")
        before = self.descriptors()
        for raw in (octets(""), octets("\0"), octets("=\n\n==\n=1"), octets("FDSTORE"), octets("FDSTORE=2", 3),
                    octets("FDSTORE=1\0FDNAME=x", 3), octets("FDSTORE=1\n" + "x" * 4087, 3),
                    octets("x" * 60000, 253), octets("BARRIER=1\nFDSTORE=1", 2), octets("READY=1", 253),
                    octets("FDSTOREREMOVE=1"), octets("FDSTOREREMOVE=1\nFDNAME=a:b"),
                    octets("FDSTOREREMOVE=1\nFDSTORE=1\nFDNAME=y", 2), octets("MAINPID=1\nWATCHDOG=trigger"),
                    octets("RELOADING=1\nSTOPPING=1\nERRNO=2\nEXTEND_TIMEOUT_USEC=1")):
            self.assertRegex(life.do(raw), r"raw \d+")
            self.assertEqual(life.do("barrier"), "1")
        self.assertEqual(self.descriptors(), before)
        for name in ("a:b", "\x07", "\x7f", "\xff", "n" * 256):
            life.do(octets(f"FDSTORE=1\nFDNAME={name}", 1))
        life.do(octets("FDSTORE=1", 1))
        life.do(octets("FDNAME=\nFDSTORE=1\n", 1))
        life.do(octets("FDSTORE=1\nFDNAME=" + "n" * 255 + "\0", 1))
        life.kill()
        life = self.life()
        self.assertEqual(life.fds[:1], stored)
        self.assertEqual([name for name, _ in life.fds[1:]], ["stored"] * 6 + ["", "n" * 255])
        self.said("refused: an FDNAME that is not valid")

    def test_a_foreign_sender_is_refused(self):
        life = self.start("--burst", "0")
        before = self.descriptors()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as foreign, socket.socket() as gift:
            foreign.connect("\0" + life.notify[1:])
            for _ in range(30):
                socket.send_fds(foreign, [b"FDSTORE=1\nFDNAME=gift"], [gift.fileno()])
            self.said("refused: a message of a process that is not phone")
        life.do("barrier")
        self.assertEqual(self.descriptors(), before)
        life.kill()
        self.assertEqual(self.life().count, 0)
        self.assertEqual(self.stderr.count("refused"), 1)
