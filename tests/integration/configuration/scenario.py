"""What is said in a configuration file is as good as what is said on the command line. Under a keeper the file is read
once: whatever becomes of it while calls are up, they come back to the same address, with the same records."""

import array
import os
import signal
import socket
import subprocess

from lib import story
from lib.waiting import check, until

VARIANTS = ["read", "refused", "kept", "bereft", "handed"]


def run(env):
    {"read": read, "refused": refused, "kept": kept, "bereft": bereft, "handed": handed}[env.variant](env)


def write(path, *lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))


def configured(env, *words, **named):
    """A phone whose command line says nothing but `words`."""
    phone = env.phone(**named)
    phone.base = list(words)
    return phone


def lines(phone, port):
    return ["# a phone", "[phone]", f"aor = {phone.uri.rpartition(':')[0]}", f"listen = {phone.address}:{port}",
            f"state = {phone.state}", "audio = tone:440"]


def read(env):
    """The user's own file is found and used; the command line and the environment win against it; --no-config leaves it."""
    home = env.path("home")
    os.makedirs(os.path.join(home, "revenant"))
    phone = configured(env, launcher=["env", f"XDG_CONFIG_HOME={home}", "REVENANT_AUDIO=echo"])
    write(os.path.join(home, "revenant", "revenant.conf"), *lines(phone, 5070))
    phone.start()
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5070", phone.said())
    peer = env.sipp("peer_called.xml")
    story.called_peer(env, phone, peer)
    check(phone.record()["media"]["source"] == "echo", f"the environment has lost against the file: {phone.record()['media']}")
    phone.quit()
    peer.wait_exit()
    phone.start(["--listen", "127.0.0.1:5080"])
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5080", phone.said())
    phone.quit()
    phone.start(["--no-config", "--listen", "127.0.0.1:5090", "--state", env.path("other")])
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5090" and os.path.isdir(env.path("other")), phone.said())
    phone.quit()


def refused(env):
    """A file that is wrong ends the start with status 2, and the error says where, on stderr."""
    path = env.path("wrong.conf")
    phone = configured(env, "--config", path)
    for text, words in ((["[phone]", "audoi = echo"], "wrong.conf:2: there is no key 'audoi' in [phone]; did you mean 'audio'?"),
                        (["[phone]", "bell = true", "bell = true"], "wrong.conf:3: 'bell' is in line 2 already"),
                        (["what is this"], "wrong.conf:1: "), (["\x1b[2J"], "wrong.conf:1: ")):
        write(path, *text)
        status, _, output = phone.run("-c", "calls")
        check(status == 2 and words in output and "\x1b" not in output, f"{text}: {status}\n{output}")
    os.unlink(path)
    status, _, output = phone.run("-c", "calls")
    check(status == 2 and "wrong.conf: No such file" in output, f"{status}\n{output}")


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read())


def kept(env):
    path = env.path("phone.conf")
    phone = configured(env, "--config", path, resume="auto")
    write(path, *lines(phone, 5060), "keep = yes")
    phone.start()
    check(owner(phone) != phone.process.pid, "the file's `keep` has started no keeper")
    peer = env.sipp("peer_called.xml")
    story.called_peer(env, phone, peer)

    def killed(what):
        os.kill(owner(phone), signal.SIGKILL)
        entry = phone.wait("ledger", 10)
        check(entry["verdict"] == "survived", f"{what}: {entry}")

    write(path, "[phone", "nothing of this is right")
    killed("a broken file")
    os.unlink(path)
    killed("no file")
    write(path, *lines(phone, 5070), "keep = yes")
    killed("another address")
    phone.do("bye")
    peer.wait_exit()
    check({event["listen"] for event in phone.seen("ready")} == {"127.0.0.1:5060"}, phone.said())
    phone.quit()
    phone.start()  # and the next phone is the file's
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5070", phone.said())
    phone.quit()


def bereft(env):
    """What the command line names is needed for the first life; a later one brings the calls back without it."""
    voice, secrets, script = env.path("voice.wav"), env.path("secrets"), env.path("script")
    subprocess.run(["sox", "-n", "-r", "8000", "-b", "16", "-c", "1", voice, "synth", "1", "sine", "440"], check=True, timeout=10)
    write(secrets, "example.org:alice:secret")
    os.chmod(secrets, 0o600)
    write(script, "calls")
    phone = env.phone(audio=f"file:{voice}", resume="auto", options=["--keep", "--credentials", secrets, "-f", script]).start()
    peer = env.sipp("peer_called.xml")
    story.called_peer(env, phone, peer)
    for path in (voice, secrets, script):
        os.unlink(path)
    os.kill(owner(phone), signal.SIGKILL)
    entry = phone.wait("ledger", 10)
    check(entry["verdict"] == "survived", f"{entry}")
    told = [event["text"] for event in phone.seen("start.lacking")]
    check(any(voice in text for text in told) and any(secrets in text for text in told), f"not told what is missing: {told}")
    phone.do("bye")
    peer.wait_exit()
    phone.send("quit")
    phone.wait_exit()
    status, _, output = phone.run("-c", "calls")  # and the next phone is refused
    check(status == 2 and script in output, f"{status}\n{output}")


class Manager:
    """What systemd does for a service: its notify socket, and the configuration that it stores (no socket: there are no calls)."""

    def __init__(self, env):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = env.path("notify")
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.stored = {}  # name: descriptor
        env.at_end(self.socket.close)

    def hear(self):
        while True:
            try:
                text, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64))
            except BlockingIOError:
                return self.stored
            words = dict(line.partition("=")[::2] for line in text.decode().splitlines())
            for _, _, data in ancillary:
                descriptors = array.array("i", data)
                if words.get("FDNAME") == "config":
                    self.stored["config"] = descriptors[0]
                else:
                    os.close(descriptors[0])
            if "FDSTOREREMOVE" in words:
                self.stored.pop(words["FDNAME"], None)


def handed(env):
    """systemd, too, holds what the first life has read, until `quit`: a stop and a start take the file as it is."""
    path = env.path("phone.conf")
    manager = Manager(env)
    environment = ["env", f"NOTIFY_SOCKET={manager.path}"]
    phone = configured(env, "--config", path, launcher=environment)
    write(path, *lines(phone, 5060))
    phone.start()
    until(lambda: "config" in manager.hear(), 5, "the configuration to be stored")
    held = manager.stored["config"]
    phone.kill9()
    manager.hear()  # its sockets go
    write(path, *lines(phone, 5070))
    # As systemd hands it on: the descriptor 3, for the process that execs.
    handed_on = f'exec env LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=config "$@" 3</proc/{os.getpid()}/fd/{held}'
    phone.launcher = [*environment, "bash", "-c", handed_on, "-"]
    phone.start()
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5060", phone.said())
    phone.quit()
    until(lambda: "config" not in manager.hear(), 5, "the configuration to be let go of")
    phone.launcher = environment
    phone.start()
    check(phone.seen("ready")[0]["listen"] == "127.0.0.1:5070", phone.said())
    phone.quit()
