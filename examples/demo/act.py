"""The call: two ends, audio, SIGKILL, the same command again, `reinvite`, a while longer, BYE.

It only acts and writes down what it did (facts.json); what came of it is judged from the files."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

from lib import pcap
from lib.baresip import Baresip
from lib.capture import Capture
from lib.env import Env
from lib.phone import Phone
from lib.process import Process
from lib.waiting import Failure, check, until

PHONE_HZ, PEER_HZ = 440, 1000
TALK = 150  # packets in each direction before the kill, and again after it: three seconds


class Wire(Capture):
    """What passes between the two addresses; nothing else of this machine is captured."""

    def __init__(self, path, reader):
        self.path = path
        self.reader = reader
        self.sip, self.rtp, self.datagrams, self.streams = [], [], [], {}

    def sync(self):
        return self.read()  # the file is complete when it is judged

    @classmethod
    def begin(cls, env, path, one, other):
        arguments = ["tcpdump", "-i", "lo", "-w", path, "-U", "-s", "0", "-n", "--immediate-mode", "-B", "8192",
                     *(["-Z", "root"] if os.geteuid() == 0 else []),
                     f"(udp or icmp) and host {one} and host {other}"]
        own = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sniff.py"), path, one, other]
        reasons = []
        for name, command in (("tcpdump", arguments), ("sniff", own)):
            try:
                process = Process(name, command, env.directory)
                env.at_end(process.stop)
                process.wait_log("listening on")
                break
            except OSError as why:
                reasons.append(f"{name}: {why}")
            except Failure:
                reasons.append(f"{name}: {process.log().strip().splitlines()[-1].removeprefix('tcpdump: ')}")
        else:
            raise NoCapture("; ".join(reasons))
        return cls(path, pcap.Reader(path))


class NoCapture(Exception):
    """Without a capture nothing can be judged."""


def perform(binary, output, peer_kind, away, private, say):
    """Leaves demo.pcap, phone.wav, peer.wav and logs/facts.json in `output`."""
    logs = os.path.join(output, "logs")
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)
    for name in ("demo.pcap", "phone.wav", "peer.wav", "heard.svg"):
        if os.path.exists(os.path.join(output, name)):
            os.unlink(os.path.join(output, name))
    env = Env(binary, None, logs)
    try:
        return _perform(env, output, peer_kind, away, private, say)
    finally:
        env.close()


def _perform(env, output, peer_kind, away, private, say):
    ours, theirs = ("192.0.2.2", "192.0.2.1") if private else ("127.0.0.2", "127.0.0.3")
    if private:
        env.pair(theirs, ours)
    port = 5060 if private else free_port(ours, theirs)
    wire = Wire.begin(env, os.path.join(output, "demo.pcap"), ours, theirs)
    make = BaresipEnd if peer_kind == "baresip" else RevenantEnd
    peer = make(env, output, theirs, port)
    recording = os.path.join(output, "phone.wav")
    phone = Phone(env, address=ours, port=port, audio=f"tone:{PHONE_HZ},file:{recording}").start()
    facts = {"phone": ours, "peer": theirs, "peer_kind": peer_kind, "peer_name": peer.name, "phone_hz": PHONE_HZ,
             "peer_hz": PEER_HZ, "command": phone.process.arguments}

    say(f"call {peer.uri}")
    phone.send(f"call {peer.uri}")
    heard = phone.wait("call.established", 8)
    say(heard["text"], "phone")
    talk(wire, ours, theirs)
    say(f"{TALK} packets each way: they hear each other")

    pid = phone.process.pid
    phone.kill9()
    for name in ["phone", *(["peer"] if peer_kind == "revenant" else [])]:
        shutil.copy(os.path.join(output, f"{name}.wav"), env.path(f"{name}-at-kill.wav"))
    say(f"kill -9 {pid}", "kill")
    if away:
        wire.wait_rtp("to nobody", lambda r: r.destination[0] == ours, away, 15, phone.killed_at)
        say(f"{away} packets from the peer find nobody (--away=0: start again at once)")
    again = time.time()
    phone.start()
    facts.update(killed_at=phone.killed_at, started_again_at=again, pids=[pid, phone.process.pid],
                 same_command=phone.process.arguments == facts["command"])
    restored = phone.wait("call.restored", 5)
    say(f"the same command again, pid {phone.process.pid}")
    say(restored["text"], "phone")
    say("reinvite")
    facts["reinvite_at"] = time.time()
    phone.send("reinvite")
    resumed = phone.wait("call.resumed", 10)
    summary = phone.wait("ledger.summary", 5)
    say(resumed["text"], "phone")
    talk(wire, ours, theirs)
    say(f"{TALK} packets more each way, then bye")

    facts["bye_at"] = time.time()
    phone.send("bye")
    phone.wait("call.ended", 5, by="local")
    peer.hung_up()
    phone.send("quit")
    facts.update(ready_at=seen(phone, "ready"), resumed_at=resumed["(seen)"], exit_status=phone.wait_exit(10),
                 ledger=[plain(phone.seen("ledger")[-1]), plain(summary)], **peer.counted())
    peer.close()
    until(lambda: len([m for m in wire.read().sip if m.method == "BYE"]) >= 2, 5, "BYE and its answer in the capture")
    with open(env.path("facts.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
    peer.recording(wire, os.path.join(output, "peer.wav"))
    return facts


def plain(event):
    return {key: value for key, value in event.items() if key[0] != "("}


def seen(phone, name):
    return phone.seen(name)[-1]["(seen)"]


def talk(wire, ours, theirs):
    since = time.time()
    for one, other in ((ours, theirs), (theirs, ours)):
        wire.wait_rtp(f"from {one}", lambda r, a=one, b=other: (r.source[0], r.destination[0]) == (a, b), TALK, 12, since)


def free_port(*addresses):
    """A port that is free on both, for UDP and for TCP."""
    for _ in range(50):
        taken = []
        try:
            first = socket.socket()
            taken.append(first)
            first.bind((addresses[0], 0))
            port = first.getsockname()[1]
            for address in addresses:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    if (address, kind) != (addresses[0], socket.SOCK_STREAM):
                        taken.append(socket.socket(socket.AF_INET, kind))
                        taken[-1].bind((address, port))
            return port
        except OSError:
            continue
        finally:
            for one in taken:
                one.close()
    raise Failure("no free port")


class RevenantEnd:
    """The same program at the other end. Its recording has silence where nothing came."""

    def __init__(self, env, output, address, port):
        self.phone = Phone(env, "peer", "bob", address, port, options=["--auto-answer"],
                           audio=f"tone:{PEER_HZ},file:{os.path.join(output, 'peer.wav')}").start()
        self.uri = self.phone.uri
        version = subprocess.run([env.binary, "--version"], capture_output=True, text=True, check=False).stdout.split()
        self.name = " ".join(version[:2]) or "revenant"

    def hung_up(self):
        self.phone.wait("call.ended", 5, by="remote")

    def counted(self):
        return {"peer_established": len(self.phone.seen("call.established")),
                "peer_ended": len(self.phone.seen("call.ended"))}

    def close(self):
        self.phone.send("quit")
        check(self.phone.wait_exit(10) == 0, "the peer did not end well")

    def recording(self, wire, path):
        pass  # it wrote the file itself


class BaresipEnd:
    """baresip, which answers by itself. It records the packets one after the other, without the time between them;
    the RTP timestamps in the capture tell where each belongs."""

    def __init__(self, env, output, address, port):
        self.baresip = Baresip(env, address=address, port=port, tone_hz=PEER_HZ)
        self.uri = self.baresip.uri
        found = [line.split()[1] for line in self.baresip.process.log().splitlines() if line.startswith("baresip v")]
        self.name = f"baresip {found[0].lstrip('v')}" if found else "baresip"

    def hung_up(self):
        self.baresip.wait_event("CALL_CLOSED", 5)

    def counted(self):
        events = [m.get("type") for m in self.baresip.heard if m.get("event")]
        return {"peer_established": events.count("CALL_ESTABLISHED"), "peer_ended": events.count("CALL_CLOSED")}

    def close(self):
        self.baresip.stop()

    def recording(self, wire, path):
        import evidence
        import sound
        files = self.baresip.recordings("dec")
        check(len(files) == 1, f"{len(files)} recordings in baresip's directory: one call makes one")
        heard = sound.read_wav(files[0])
        sound.write_wav(path, evidence.lay_out(heard.samples, wire.path, self.baresip.address))
