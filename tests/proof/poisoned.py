"""A record that kills: three calls, and the phone crashes whenever it takes one step of the way back for one of them.

It is started again at once, by the driver or by revenant-keeper, as often as it dies. After two deaths that record must
be put away and told in the ledger, and the two other calls must be good for everything and go on to their end. The
control is a phone that is killed from outside at the same steps: nothing may be put away then."""

import os
import signal
import time

import sipp_peer
from lib.phone import Phone
from lib.waiting import Failure, check, until
from user import Lost
from wire import CONFIRMED, Wire, broken_rules, why_lost

SCENARIO = "poisoned"
# In the order in which an established call comes to them (include/revenant/base/kill_point.hpp).
STEPS = ("read", "ports", "on-Restore", "before-Restore", "after-Restore", "library", "message", "on-Answered",
         "before-AcknowledgeStandIn", "after-AcknowledgeStandIn", "on-Ready", "on-Resume", "before-RunMedia", "media",
         "before-Arm", "after-Arm", "before-PersistSoon", "before-Acknowledge", "after-Acknowledge", "before-Settle",
         "after-Settle", "on-Quiet")
POINTS = (*(f"{step}:fault" for step in STEPS), "library:overflow", "after-Arm:overflow", "on-Ready:abort",
          "after-Restore:later", "after-Arm:later")
HANGS = ("read:hang", "on-Ready:hang", "after-Restore:hang", "library:hang",
         "before-Acknowledge:hang")  # the keeper notices
KILLS = ("read:kill", "after-Restore:kill", "on-Ready:kill", "after-Arm:kill", "before-Acknowledge:kill")
# What the called side has learnt from the refresh is stored at once.
OTHERS = {("before-PersistSoon:fault", 3): "before-Persist:fault", ("on-Quiet:fault", 3): None}
SHORT = {"keeper": ("read:fault", "after-Restore:fault", "library:overflow", "before-Acknowledge:fault", "after-Restore:hang"),
         "restart": ("on-Ready:abort", "after-Arm:later", "after-Arm:kill")}
CALLS = (1, 2, 3)
KILLED = 4  # times in a row, in the control
DEADLINE_S = 20


def rows(short):
    """(mode, point, the call that kills)"""
    if short:
        return [(mode, point, 2) for mode, points in SHORT.items() for point in points]
    points = [(OTHERS.get((point, n), point), n) for point in POINTS for n in CALLS]
    return [(mode, point, n) for mode in ("restart", "keeper") for point, n in points if point] \
        + [("restart", point, n) for point in KILLS for n in CALLS] + [("keeper", point, n) for point in HANGS for n in CALLS]


class Case:
    def __init__(self, env, mode, point, bad):
        self.env, self.point, self.bad = env, point, bad
        self.kept = mode == "keeper"
        self.is_control = point.endswith(":kill")
        self.good = [n for n in CALLS if n != bad or self.is_control]
        self.crash = ["--crash-at", "{0}:{2}:{1}".format(*point.split(":"), bad)]
        keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
        self.capture = env.capture
        self.phone = Phone(env, resume="auto", audio="tone:440", launcher=[keeper, "--"] if self.kept else [],
                           options=["--auto-answer", *(self.crash if self.kept else [])])
        self.wires = {n: Wire(self.capture, f"127.0.0.{10 + n}") for n in CALLS}
        self.peers = {}
        self.deaths = 0
        self.past = []  # events of earlier processes
        env.at_end(self.finish)

    def finish(self):
        """The phone itself, when its keeper cannot start it again."""
        if self.kept and self.phone.process is not None:
            self.phone.process.kill9()
            try:
                os.kill(self.pid(), signal.SIGKILL)
            except (OSError, ValueError):
                pass

    def pid(self):
        with open(os.path.join(self.phone.state, "lock"), encoding="ascii") as file:
            return int(file.read())

    # -- the three calls

    def begin(self):
        self.phone.start()
        for n in CALLS:
            called = n != 3
            text = sipp_peer.called(waits=False) if called else sipp_peer.calling()
            with open(self.env.path(f"scenario-{n}.xml"), "w", encoding="ascii") as file:
                file.write(text)
            host = f"{self.phone.address}:{self.phone.port}"
            self.peers[n] = self.env.sipp(f"scenario-{n}.xml", name=f"peer{n}", address=f"127.0.0.{10 + n}",
                                          rtp_port=16000 + 10 * n, remote=None if called else host,
                                          keys=None if called else {"phone": host})
            if called:
                self.phone.send(f"call -n {self.peers[n].uri}")
            self.phone.wait("call.established", 8, call=n)
            until(lambda n=n: self.phone.record(n)["in_flight"]["cseq"] == 0, 5, "the record to say that the ACK is there")
        for n in CALLS:
            self.wait_rtp(n, 0)

    def wait_rtp(self, n, since):
        until(lambda: sum(1 for r in self.capture.read().rtp if r.destination[0] == f"127.0.0.{10 + n}" and r.time > since
                          and r.source[0] == self.phone.address) >= 3, 5, f"RTP to the peer of call {n}")

    # -- its deaths

    def events(self):
        return self.past + list(self.phone.events)

    def restart(self):
        """By the driver, until it stays."""
        phone = self.phone
        while True:
            self.past += phone.events
            phone.launch(self.crash if not self.is_control or self.deaths < KILLED else [])
            until(lambda: phone.ended or self.is_back(), DEADLINE_S, lambda: "the phone to be back or dead\n" + phone.said())
            if not phone.ended:
                return
            status = phone.process.wait_exit(2)
            self.deaths += 1
            check(status in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGKILL), f"the phone ended with {status}")
            if self.deaths > (KILLED if self.is_control else 2):
                raise Lost(f"the phone has died {self.deaths} times on it")

    def keep(self):
        phone = self.phone
        until(lambda: phone.ended or self.is_back(), DEADLINE_S, lambda: "the phone to be back\n" + phone.said())
        check(not phone.ended, "the keeper has given up")
        log = phone.process.log()
        self.deaths = sum(log.count(words) for words in ("killed by SIGSEGV", "killed by SIGABRT", "revenant-keeper: revenant hung"))

    def is_back(self):
        """Of this life, as far as one can tell in one stream of events: since the last `ready`."""
        events = list(self.phone.events)
        begin = max((i for i, e in enumerate(events) if e.get("event") == "ready"), default=len(events))
        if not any(e.get("event") == "ledger.summary" for e in events[begin:]):
            return False
        alive = {e.get("call") for e in events[begin:] if e.get("event") == "ledger" and e.get("verdict") == "survived"}
        return set(self.good) <= alive and (self.is_control or self.told())

    def told(self):
        return next((e for e in self.phone.events if e.get("event") == "ledger" and e.get("call") == self.bad
                     and e.get("verdict") == "lost" and e.get("quarantined")), None)

    # -- afterwards

    def judge(self):
        phone = self.phone
        if self.is_control:
            check(self.deaths == KILLED, f"{self.deaths} deaths: the step was never taken")
            aside = [f for f in os.listdir(os.path.join(phone.state, "dialogs")) if "quarantined" in f]
            if aside:
                raise Lost(f"killed from outside, and yet it put away {aside}")
        else:
            check(self.deaths == 2, f"{self.deaths} deaths: the step was never taken" if not self.deaths
                  else f"{self.deaths} deaths")
            entry = self.told()
            check(os.path.exists(entry["quarantined"]), f"{entry['quarantined']} is not there")
            check("rename" in entry["reason"], f"does not say what to do: {entry['reason']}")
            check(not os.path.exists(phone.record_path(self.bad)), "the record is still there")
        since = time.time()
        for n in self.good:
            self.wait_rtp(n, since)
            phone.do(f"info {n} hello")
        for n in self.good:
            phone.send(f"bye {n}")
            phone.wait("call.ended", 8, call=n, by="local")
        # The phone tells of the end before its BYE has left.
        until(lambda: all(call.bye() for n in self.good for call in self.wires[n].known()), 5, "a BYE to each peer")
        until(lambda: all(self.wires[n].quiet() for n in self.good), 5, "all requests to be answered")
        for n in self.good:
            call, = self.wires[n].known()
            why = why_lost(call, "phone", CONFIRMED)
            if why:
                raise Lost(f"call {n}: {why}")
            until(lambda n=n: not os.path.exists(phone.record_path(n)), 2, f"the record of call {n} to be removed")
        return broken_rules(self.capture, phone)


def run(env, mode, point, bad):
    """One case. Returns (verdict, reason, whether the phone died, broken rules)."""
    case = Case(env, mode, point, bad)
    broken = []
    try:
        case.begin()
        if case.kept:
            os.kill(case.pid(), signal.SIGKILL)
            case.keep()
        else:
            case.phone.kill9()
            case.restart()
        broken = case.judge()
    except Failure as failure:
        return "lost", str(failure).split("\n")[0], case.deaths > 0, broken
    return "survived", "", True, broken
