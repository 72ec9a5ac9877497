"""Any user agent under test: killed from outside after the N-th SIP datagram between it and the peer, started again at
once, and judged by the peer alone."""

import os
import shlex
import subprocess
import time

import sipp_peer
from lib.process import Process, listening
from lib.waiting import Failure, until
from user import Lost
from wire import CONFIRMED, EARLY, Wire, why_lost

ADDRESS, PEER = "192.0.2.2", "192.0.2.1"  # some user agents refuse loopback addresses
PORT = 5060
DEADLINE_S = 10
STILL_S = 1.0  # that long nothing may be said before the peer goes on
SCENARIOS = ("called", "calls")


class Agent:
    def __init__(self, env, wire, commands, n):
        self.env, self.wire, self.commands, self.n = env, wire, commands, n
        self.starts = 0
        self.died_at = None
        self.process = None

    def start(self, calling):
        which = "calling" if calling else "again" if self.starts else "start"
        command = [word.format(dir=self.env.directory, address=ADDRESS, port=PORT, peer=f"sip:bob@{PEER}:{PORT}")
                   for word in shlex.split(self.commands[which])]
        self.starts += 1
        self.process = Process(f"agent-{self.starts}", command, self.env.directory, stdin=subprocess.PIPE)
        self.env.at_end(self.process.stop)

    def poll(self):
        """Kills it when its time has come, and starts it again."""
        if self.n and self.died_at is None and len(self.wire.datagrams()) >= self.n:
            self.died_at = time.time()
            self.process.kill9()
            self.start(False)
        if not self.process.running():
            raise Lost(f"the user agent ended with {self.process.popen.returncode}")

    def up(self):
        return listening("udp", ADDRESS, PORT)


class Datagrams(Wire):
    def datagrams(self):
        self.calls()
        return [m for m in self.capture.sip if self.address in (m.source[0], m.destination[0])
                and not m.method.startswith("CUE")]


def run(env, scenario, commands, n):
    env.pair(ADDRESS, PEER)
    wire = Datagrams(env.capture, PEER)
    agent = Agent(env, wire, commands, n)

    def wait(what, condition):
        def holds():
            agent.poll()
            for call in wire.known():
                for request in call.requests:
                    if request.from_peer and request.status == 481 and request.method != "BYE":
                        raise Lost(f"{request} got 481")
            if not peer.process.running():
                raise Lost("the peer gave up: " + " ".join(peer.errors(300).split()))
            return condition()
        return until(holds, DEADLINE_S, what, 0.001)

    def still():
        last = wire.datagrams()[-1].time
        wait("the user agent to be there and everything to be answered", lambda: agent.up() and wire.quiet()
             and time.time() - max(wire.datagrams()[-1].time, agent.died_at or last) > STILL_S)

    def call():
        return wire.known()[-1]

    asks = ("HOLD", "UNHOLD")
    calling = scenario == "calls"
    text = sipp_peer.called(asks, waits=False) if calling else sipp_peer.calling(asks)
    with open(env.path("scenario.xml"), "w", encoding="ascii") as file:
        file.write(text)
    reason = ""
    try:
        if calling:
            peer = env.sipp("scenario.xml", address=PEER)
            agent.start(True)
        else:
            agent.start(False)
            until(agent.up, DEADLINE_S, "the user agent to listen")
            peer = env.sipp("scenario.xml", address=PEER, remote=f"{ADDRESS}:{PORT}", keys={"phone": f"{ADDRESS}:{PORT}"})
        wait("the call to be answered and acknowledged", lambda: wire.known() and call().confirmed()
             and call().initial()[0].ack is not None)
        for times, cue in enumerate(asks, 1):
            still()
            peer.cue(cue, call().call_id)
            wait(f"the answer to the peer's {cue.lower()}", lambda: sum(
                1 for r in call().all("INVITE", True) if r.message.tag("to") and r.accepted() and r.ack) >= times)
        still()
        peer.cue("BYE", call().call_id)
        wait("the peer's BYE to be answered", lambda: call().bye() is not None)
        still()
        peer.cue("END", call().call_id)
        peer.wait_exit(3)
    except Failure as failure:
        reason = str(failure).split("\n")[0]
    env.capture.sync()
    died = agent.died_at
    for each in wire.known():
        reason = reason or why_lost(each, "peer", each.state(died) if died else CONFIRMED)
    if not wire.known():
        reason = reason or "the peer never heard of a call"
    verdict = "lost" if reason else "survived" if not died or wire.state(died) in (EARLY, CONFIRMED) else "finished"
    return verdict, reason, died is not None, []
