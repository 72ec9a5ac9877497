"""Under the keeper a TCP connection outlives the phone, too: nobody sees it close, and both sides go on in it. One that goes
on in the middle of a message is closed; the keeper holds none that is closed."""

import os
import signal
import socket

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["called", "calling", "proxy", "bye_while_dead", "half_read", "not_hoarded", "full"]
ROUNDS = 5


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def kill(phone):
    os.kill(owner(phone), signal.SIGKILL)
    return phone.wait("ready", 10)


def kill_and_survive(phone):
    kill(phone)
    entry = phone.wait("ledger", 10)
    check(entry["verdict"] == "survived", f"{entry}")


def called(env, phone):
    peer = env.sipp("peer_called.xml", transport="tcp")
    return peer, story.called_peer(env, phone, peer)


def run(env):
    keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
    address = "127.0.0.1"
    options = []
    if env.variant == "proxy":
        address = "192.0.2.2"
        env.pair("192.0.2.2", "192.0.2.3")
        env.kamailio(address="192.0.2.3", tcp=True)
        options = ["--outbound-proxy", "sip:192.0.2.3:5060;transport=tcp"]
    phone = env.phone(address=address, transport="tcp", audio="tone:440", resume="auto", options=options,
                      launcher=[keeper, "--burst", "0", "--"]).start()
    globals()["run_" + env.variant](env, phone)
    phone.quit()


def run_called(env, phone):
    """We had opened it."""
    in_one_connection(env, phone, *called(env, phone))


def run_calling(env, phone):
    """The peer had opened it, from the address of its Contact: our requests go there."""
    in_one_connection(env, phone, *story.calling_peer(env, phone, transport="tcp", options=["-p", "5060"]))


def in_one_connection(env, phone, peer, call_id):
    for _ in range(ROUNDS):
        kill_and_survive(phone)
    story.use(env, phone, peer, call_id)
    checks.one_connection(env.capture, phone)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)


def run_proxy(env, phone):
    """TCP to the proxy, UDP from there."""
    env.add_address("192.0.2.1")
    peer = env.sipp("peer_called.xml", address="192.0.2.1")
    call_id = story.called_peer(env, phone, peer)
    kill_and_survive(phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "peer", call_id)
    closed = [p for p in checks.segments(env.capture, phone) if p.closes]
    check(not closed, f"a connection was closed: flags {[p.flags for p in closed]}")


def run_bye_while_dead(env, phone):
    """The keeper is stopped, so that the phone stays dead until the BYE is in its socket."""
    peer, call_id = called(env, phone)
    phone.process.freeze()
    os.kill(owner(phone), signal.SIGKILL)
    peer.cue("BYE", call_id)
    bye = env.capture.wait("the BYE that nobody hears yet", lambda m: m.method == "BYE" and phone.to_here(m))
    phone.process.thaw()
    phone.wait("call.ended", by="remote")
    answer = env.capture.wait("its answer", lambda m: m.method == "BYE" and m.status and phone.from_here(m))
    check(answer.status == 200, f"the BYE got {answer.status}")
    check((answer.source, answer.destination) == (bye.destination, bye.source), "the answer went another way")
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
    checks.one_connection(env.capture, phone, answer.time)  # sipp closes it then
    peer.wait_exit()


class Stranger:
    """Speaks SIP over a connection of its own."""

    def __init__(self, phone, address="127.0.0.66"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        self.socket.bind((address, 0))
        self.socket.connect((phone.address, phone.port))
        self.count = 0

    def request(self):
        self.count += 1
        return (f"OPTIONS sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.66;branch=z9hG4bKo{self.count}\r\n"
                f"From: <sip:eve@127.0.0.66>;tag=eve\r\nTo: <sip:alice@127.0.0.1>\r\nCall-ID: o{self.count}\r\n"
                f"CSeq: {self.count} OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()

    def ask(self):
        self.socket.sendall(self.request())
        return self.hear()

    def hear(self):
        """The first line of what comes; empty when the connection is closed."""
        try:
            return self.socket.recv(65536).split(b"\r\n")[0]
        except ConnectionResetError:
            return b""


def held(phone):
    """How many TCP connections the keeper holds, also closed ones, which no table lists: its sockets without the others."""
    others = set()
    for name, inode, state in (("udp", 9, None), ("unix", 6, None), ("tcp", 9, "0A")):
        with open("/proc/net/" + name, encoding="ascii") as table:
            lines = [line.split() for line in table.readlines()[1:]]
        others |= {f"socket:[{fields[inode]}]" for fields in lines if state is None or fields[3] == state}
    directory = f"/proc/{phone.process.pid}/fd"
    targets = [os.readlink(os.path.join(directory, name)) for name in os.listdir(directory)]
    return sum(target.startswith("socket:") and target not in others for target in targets)


def run_half_read(env, phone):
    """Half of a request is read by a phone that dies. The rest is no message; what follows it is not answered by chance."""
    eve, good = Stranger(phone), Stranger(phone)
    for stranger in (eve, good):
        check(stranger.ask().startswith(b"SIP/2.0 "), "no answer")
    request = eve.request()
    eve.socket.sendall(request[:70])
    # What the phone has read is no longer in its queue.
    until(lambda: not unread(eve, phone), 5, "the first half to be read")
    kill(phone)
    eve.socket.sendall(request[70:])
    check(eve.hear() == b"", "the connection goes on in the middle of a message")
    check(good.ask().startswith(b"SIP/2.0 "), "the other connection is of no use")
    kill(phone)
    check(good.ask().startswith(b"SIP/2.0 "), "the other connection is of no use after another kill")
    until(lambda: held(phone) == 1, 5, lambda: f"the keeper to hold 1 connection, not {held(phone)}")


def unread(stranger, phone):
    """Octets from the stranger that wait in the phone's socket."""
    port = f":{stranger.socket.getsockname()[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[2].endswith(port) and fields[1].endswith(f":{phone.port:04X}"):
                return int(fields[4].split(":")[1], 16)
    return 0


def run_not_hoarded(env, phone):
    """Connections that say nothing are not held, those that are closed no longer, in this life or while none lives."""
    silent = Stranger(phone)
    some = [Stranger(phone) for _ in range(6)]
    for stranger in some:
        check(stranger.ask().startswith(b"SIP/2.0 "), "no answer")
    until(lambda: held(phone) == 6, 5, lambda: f"the keeper to hold 6 connections, not {held(phone)}")
    for stranger in some[:3]:
        stranger.socket.close()
    until(lambda: held(phone) == 3, 5, lambda: f"the keeper to hold 3 connections, not {held(phone)}")
    phone.process.freeze()
    os.kill(owner(phone), signal.SIGKILL)
    some[3].socket.close()
    phone.process.thaw()
    phone.wait("ready", 10)
    check(silent.hear() == b"", "a connection without a message was held")
    for stranger in some[4:]:
        check(stranger.ask().startswith(b"SIP/2.0 "), "no answer after the kill")
    until(lambda: held(phone) == 2, 5, lambda: f"the keeper to hold 2 connections, not {held(phone)}")
    some[4].socket.close()
    until(lambda: held(phone) == 1, 5, lambda: f"the keeper to hold 1 connection, not {held(phone)}")
    kill(phone)
    check(some[5].ask().startswith(b"SIP/2.0 "), "no answer after two kills")


def run_full(env, phone):
    """No more than 64 are held; the others are served, and end with the process."""
    some = [Stranger(phone) for _ in range(70)]
    for stranger in some:
        check(stranger.ask().startswith(b"SIP/2.0 "), "no answer")
    until(lambda: held(phone) == 64, 5, lambda: f"the keeper to hold 64 connections, not {held(phone)}")
    kill(phone)
    alive = sum(stranger.ask().startswith(b"SIP/2.0 ") for stranger in some[:64])
    check(alive == 64, f"{alive} of 64 connections go on")
    check(all(stranger.hear() == b"" for stranger in some[64:]), "a connection too many was held")
