"""How long the phone lets others wait, beside how long a program does that has nothing else to do.

OPTIONS are sent at fixed times, whatever has been answered, to the phone and to an echo process on the same machine. What a
busy machine does to the one it does to the other, so the phone is judged by the difference."""

import select
import socket
import subprocess
import sys
import threading
import time

from .waiting import check, until

EVERY_S = 0.02
AT_LEAST = 25
NOISE = 4  # the phone is woken several times for an answer, the echo once
ECHO = """
import socket
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("127.0.0.78", 5060))
while True:
    here.sendto(*here.recvfrom(65535))
"""


class Questions:
    def __init__(self, env, phone, address="127.0.0.77"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((address, 5060))
        self.address = address
        self.phone, self.echo = (phone.address, phone.port), ("127.0.0.78", 5060)
        self.asked = {}  # (whom, number) -> when
        self.waits = {self.phone: [], self.echo: []}
        self.over = False
        self.process = subprocess.Popen([sys.executable, "-c", ECHO])
        env.at_end(self._end_echo)
        self.thread = threading.Thread(target=self._run, daemon=True)
        until(self._echoes, 5, "the echo process to answer")
        self.thread.start()

    def _echoes(self):
        self.socket.sendto(b"Call-ID: q0\r\n", self.echo)
        return bool(select.select([self.socket], [], [], 0.05)[0])

    def _end_echo(self):
        self.process.kill()
        self.process.wait()

    def _run(self):
        number, due = 0, time.monotonic()
        while not self.over or self.asked:
            if time.monotonic() >= due and not self.over:
                number, due = number + 1, time.monotonic() + EVERY_S
                for whom in self.waits:
                    self.asked[whom, number] = time.monotonic()
                    self.socket.sendto(self._options(number), whom)
            left = EVERY_S if self.over else max(0, due - time.monotonic())
            if select.select([self.socket], [], [], left)[0]:
                data, source = self.socket.recvfrom(65535)
                asked = self.asked.pop((source, int(data.partition(b"Call-ID: q")[2].split()[0])), None)
                if asked is not None:
                    self.waits[source].append(time.monotonic() - asked)

    def _options(self, number):
        host = self.phone[0]
        return (f"OPTIONS sip:alice@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:5060;branch=z9hG4bKq{number}\r\n"
                f"From: <sip:q@{self.address}>;tag=q\r\nTo: <sip:alice@{host}>\r\nCall-ID: q{number}\r\n"
                f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()

    def end(self, patience_s, what):
        """No answer later than `patience_s`, and NOISE times the longest that the echo process took. Returns that limit."""
        until(lambda: min(map(len, self.waits.values())) >= AT_LEAST, 30, f"{AT_LEAST} questions to be answered")
        self.over = True
        self.thread.join(30)
        self.socket.close()
        self._end_echo()
        check(not self.asked, f"{what}: {len(self.asked)} questions have no answer")
        ours, floor = (sorted(self.waits[whom]) for whom in (self.phone, self.echo))
        print(f"{what}: {len(ours)} answers within {ours[-1] * 1000:.0f} ms, half within {ours[len(ours) // 2] * 1000:.1f} ms; "
              f"an echo within {floor[-1] * 1000:.1f} and {floor[len(floor) // 2] * 1000:.1f} ms")
        limit = patience_s + NOISE * floor[-1]
        late = [w for w in ours if w > limit]
        check(not late, f"{what}: {len(late)} of {len(ours)} answers came later than {limit:.2f} s: {late[-3:]}")
        return limit
