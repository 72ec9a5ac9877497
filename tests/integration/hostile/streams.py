"""What a stranger can do over TCP."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time

from lib.questions import Questions
from lib.waiting import check, until
from stranger import a_call, request, untouched

CONNECTIONS, FLOOD = 600, 10_000


def streams(env):
    """TCP: lengths that overflow, what is no message, connections without end, questions whose answers nobody reads.
    Meanwhile the phone answers others within 200 ms, and of what others have opened no more is open than 256 and the one that
    makes room."""
    phone, peer, call_id = a_call(env)
    here = (phone.address, phone.port)
    def connect():
        connection = socket.create_connection(here, 5)
        connection.settimeout(5)
        return connection
    def ends(connection):
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
    tcp = request().replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    with others_are_served(env, phone, "absurd lengths"):
        for length in (b"4294967295", b"2147483648", b"2000000000", b"65537"):
            connection = connect()
            connection.sendall(tcp + tcp.replace(b"Content-Length: 0", b"Content-Length: " + length) + b"z" * 100)
            ends(connection)
    open_files = f"/proc/{phone.process.popen.pid}/fd"
    before = len(os.listdir(open_files))
    for garbage in (b"no request\r\n\r\n", b"A" * 70000):
        connection = connect()
        connection.sendall(garbage)
        ends(connection)
    connection = connect()
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")  # a body may follow, up to the end
    connection.close()
    until(lambda: len(os.listdir(open_files)) <= before, 5, "what is no message to be hung up on")
    with others_are_served(env, phone, "connections without end"), Most(open_files) as most:
        idle = [connect() for _ in range(CONNECTIONS)]
    # Not one too many in a listing: descriptors are listed upwards, and the lowest free number is taken first.
    check(most.seen == before + 256 + 1, f"{most.seen - before} connections of others were open at a time")
    for connection in idle:
        connection.close()
    until(lambda: len(os.listdir(open_files)) <= before, 5, "the connections to be closed")
    def resident():
        with open(f"/proc/{phone.process.popen.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    size, since = resident(), time.time()
    flood = [request(call_id=f"flood{n}").replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP") for n in range(FLOOD)]
    with others_are_served(env, phone, f"{FLOOD} questions at once"), connect() as asker:
        answers_to(asker, flood)
    turns_first(env, since, (3 * 2048 + 128 * 1024) // len(flood[0]))
    if not env.sanitized:
        check(resident() - size < 50e6, f"the phone has grown by {(resident() - size) / 1e6:.0f} MB")
    size, deaf = resident(), connect()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    with others_are_served(env, phone, f"{FLOOD} questions of somebody who reads no answers"):
        try:
            deaf.send(b"".join(flood))
        except BlockingIOError:
            pass
    until(lambda: len(os.listdir(open_files)) <= before, 5, "who reads no answers to be hung up on")
    check(resident() - size < 50e6, f"the phone has grown by {(resident() - size) / 1e6:.0f} MB")
    untouched(env, phone, peer, call_id)


def answers_to(connection, requests):
    """All are written at once, and all answers read."""
    writer = threading.Thread(target=connection.sendall, args=(b"".join(requests),), daemon=True)
    writer.start()
    answers, line, rest = 0, b"SIP/2.0 200", b""
    end = time.monotonic() + 60
    while answers < len(requests):
        check(time.monotonic() < end, f"{answers} answers to {len(requests)} questions in a minute")
        text = rest + connection.recv(1 << 20)
        answers += text.count(line)
        rest = text[1 - len(line):]  # an answer may be cut in two
    writer.join()


@contextlib.contextmanager
def others_are_served(env, phone, what):
    questions = Questions(env, phone)
    yield
    questions.end(0.2, what)


class Most:
    """The most entries that a directory has had, looked at without a pause by a process of its own."""
    LOOK = """
import os, select, sys
most = 0
print(flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    most = max(most, len(os.listdir(sys.argv[1])))
print(most)
"""

    def __init__(self, path):
        self.seen = None
        self.process = subprocess.Popen([sys.executable, "-c", self.LOOK, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.seen = int(self.process.communicate(b"\n")[0])


def turns_first(env, since, most):
    """Whatever the machine does: no more of the flood is answered between another's question and its answer than is read of a
    stream in a few turns of the main loop, and had been answered before but was not read by the other end."""
    answered, asked, worst = 0, {}, 0
    for message in env.capture.sync().messages(since=since):
        if message.call_id.startswith("flood") and message.status:
            answered += 1
        elif message.call_id.startswith("q") and message.is_request and message.destination[0] == "127.0.0.1":
            asked[message.call_id] = answered
        elif message.call_id in asked and message.status:
            worst = max(worst, answered - asked.pop(message.call_id))
    print(f"{answered} questions of the flood were answered, {worst} at most before another one's")
    check(answered > most, f"only {answered} questions of the flood were answered")
    check(worst <= most, f"{worst} questions of the flood went first")
