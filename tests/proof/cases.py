"""The scenarios: what the user and the peer want, and how both see that they have got it."""

import os

import sipp_peer
from lib.waiting import Failure, check
from lib.baresip import Baresip
from user import DEADLINE_S, Lost, User
from wire import CONFIRMED, Wire, broken_rules, why_lost

PASSWORD = "test:alice:secret\n"


class Case:
    """One scenario with one peer; the phone dies once."""

    def __init__(self, env, scenario, peer, mode, kill, before_restart=None):
        self.env = env
        self.scenario = scenario
        self.options = SCENARIOS[scenario][1]
        self.kind = peer
        far = peer != "sipp"
        self.peer_address = "192.0.2.1" if peer == "baresip" else "127.0.0.2"
        self.wire = Wire(env.capture, self.peer_address)
        options = list(self.options.get("phone", ()))
        if self.options.get("challenge") or self.options.get("bye") == "challenge":
            path = env.path("credentials")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
                file.write(PASSWORD)
            options += ["--credentials", path]
        self.proxy = None
        if far:
            env.add_address(self.peer_address)  # baresip 1.1 takes the first address on lo for its own
            env.pair("192.0.2.2", "192.0.2.3") if peer == "kamailio" else env.add_address("192.0.2.2")
        if peer == "kamailio":
            self.proxy = env.kamailio(address="192.0.2.3")
            if not self.options.get("calling"):
                options += ["--outbound-proxy", self.proxy.uri]
        self.user = User(env, self.wire, mode, kill, first_life=2 if self.options.get("resume") else 1,
                         before_restart=before_restart, address="192.0.2.2" if far else "127.0.0.1", options=options)
        self.phone = self.user.phone
        self.peer = None

    # -- the peer

    def has_peer(self):
        """The peer comes up; if it is the caller, it calls."""
        calling = self.options.get("calling")
        if self.kind == "baresip":
            self.peer = Baresip(self.env, auto_answer=self.options.get("at_once", False))
            if calling:
                self.peer.command("dial", self.phone.uri)
            return
        asks, bye, extra = (self.options.get(k, d) for k, d in (("asks", ()), ("bye", "ok"), ("extra", "X-Peer: sipp")))
        proxied = self.proxy is not None
        if calling:
            text = sipp_peer.calling(asks, proxied, bye, extra)
        else:
            text = sipp_peer.called(asks, proxied, not self.options.get("at_once"), self.options.get("challenge"), bye, extra)
        with open(self.env.path("scenario.xml"), "w", encoding="ascii") as file:
            file.write(text)
        host = f"{self.phone.address}:{self.phone.port}"
        remote = (f"{self.proxy.address}:{self.proxy.port}" if proxied else host) if calling else None
        self.peer = self.env.sipp("scenario.xml", remote=remote, keys={"phone": host} if calling else None)

    def cue(self, what, baresip=None):
        if self.kind == "baresip":
            self.peer.command(baresip)
            return
        check(self.peer.process.running(), f"the peer has ended: {self.peer.errors(300)}")
        self.peer.cue(what, self.call().call_id)

    def peer_is_done(self):
        """The peer itself says that its call is over."""
        if self.kind != "baresip":
            self.peer.cue("END", self.call().call_id)
            self.peer.wait_exit(3)
        elif not any(m.get("type") == "CALL_CLOSED" for m in self.peer.heard):
            self.peer.wait_event("CALL_CLOSED")

    def call(self):
        known = self.wire.known()
        return known[-1] if known else None

    # -- what they see

    def wait(self, what, condition, deadline_s=DEADLINE_S):
        def holds():
            if self.kind != "baresip" and self.peer is not None and not self.peer.process.running():
                raise Lost("the peer gave up: " + " ".join(self.peer.errors(400).split()))
            return condition()
        return self.user.wait(what, holds, deadline_s)

    def rung(self):
        call = self.call()
        return call and call.initial() and any(a.status == 180 for a in call.initial()[0].answers)

    def confirmed(self):
        call = self.call()
        return call and call.confirmed() and call.initial()[0].ack is not None

    def wait_talk(self):
        self.wait("the call to be answered and acknowledged", self.confirmed)
        self.settled()

    def settled(self):
        """Both sides are in the call and neither waits for anything."""
        calls = self.user.settle()
        self.wait("all requests to be answered", lambda: self.wire.quiet())
        if not calls and self.wire.live():
            self.wait("the phone to have the call", lambda: self.user.look())
        return self.user.settle()

    def talk(self):
        """Media goes from the phone to the peer, as it does when all goes well."""
        self.settled()
        since = max([0.0, *self.user.deaths.values()])
        first, last = self.phone.rtp_ports
        self.wait("RTP from the phone", lambda: sum(
            1 for r in self.env.capture.read().rtp if r.source[0] == self.phone.address and r.time > since
            and first <= r.source[1] <= last) >= 3)

    def asked(self, method, from_peer, accepted=True, times=1):
        """The peer has seen that many such requests go well, with their ACKs."""
        call = self.call()
        return call and sum(1 for r in call.all(method, from_peer) if r.message.tag("to") and r.accepted()
                            and (method != "INVITE" or r.ack)) >= times

    # -- what they do

    def dial(self):
        where = "sip:bob@192.0.2.1:5060" if self.kind == "baresip" else "sip:bob@127.0.0.2:5060"
        self.user.type(f"call -n {where}", lambda: self.call() is not None, lambda calls: not calls)

    def peer_answers(self):
        self.wait("the peer to ring", self.rung)
        self.user.settle()
        if not self.call().confirmed():
            self.cue("ANSWER", "accept")

    def phone_answers(self):
        self.wait("the phone to ring", self.rung)
        self.user.type("answer", lambda: self.call().confirmed(), lambda calls: any(c["state"] == "alerting" for c in calls))

    def phone_declines(self):
        self.wait("the phone to ring", self.rung)
        self.user.type("decline", lambda: self.call().initial()[0].final is not None,
                       lambda calls: any(c["state"] == "alerting" for c in calls))

    def phone_cancels(self):
        self.wait("the peer to ring", self.rung)
        self.user.type("cancel", lambda: self.call().initial()[0].final is not None,
                       lambda calls: any(c["state"] in ("inviting", "proceeding") for c in calls))

    def peer_cancels(self):
        self.wait("the phone to ring", self.rung)
        self.user.settle()
        self.cue("CANCEL", "hangup")

    def phone_hangs_up(self):
        self.user.type("bye", lambda: self.call().bye() is not None, lambda calls: bool(calls))

    def peer_hangs_up(self):
        self.settled()
        self.cue("BYE", "hangup")
        self.wait("the peer's BYE to be answered", lambda: self.call().bye() is not None)

    def _offered(self, direction):
        """The phone's last acknowledged offer within the dialog."""
        done = [r for r in self.call().all("INVITE", False) if r.message.tag("to") and r.accepted() and r.ack]
        return bool(done) and (direction in done[-1].message.sdp.decode())

    def phone_holds(self):
        self.settled()
        self.user.type("hold", lambda: self._offered("a=sendonly"), lambda calls: any(not c["hold_local"] for c in calls))
        self.settled()

    def phone_unholds(self):
        self.user.type("unhold", lambda: not self._offered("a=sendonly"), lambda calls: any(c["hold_local"] for c in calls))
        self.settled()

    def peer_asks(self, cue, method, times=1, baresip=None):
        self.settled()
        self.cue(cue, baresip)
        self.wait(f"the peer's {method} to be accepted", lambda: self.asked(method, True, times=times))
        self.settled()

    def phone_informs(self):
        self.settled()
        self.user.type("info hello", lambda: self.asked("INFO", False), lambda calls: bool(calls))
        self.settled()

    def over(self):
        """Neither side has a call, and the next start would find none."""
        self.wait("the phone to have no call", lambda: self.user.look() == [] and not self.records())
        self.wait("all requests to be answered", lambda: self.wire.quiet())

    def records(self):
        try:
            return [n for n in os.listdir(os.path.join(self.phone.state, "dialogs")) if ".json" in n]
        except FileNotFoundError:
            return []


# -- scenarios: function, what the peer and the phone are made for, peers

def outgoing(case):
    case.has_peer()
    case.user.start()
    case.dial()
    if not case.options.get("at_once"):
        case.peer_answers()
    case.wait_talk()


def phone_ends(case):
    case.phone_hangs_up()
    case.over()


def peer_ends(case):
    case.peer_hangs_up()
    case.over()


def incoming(case):
    case.user.start()
    case.has_peer()
    case.wait("the peer's INVITE", lambda: case.call() is not None)
    if "--auto-answer" not in case.options.get("phone", ()):
        case.phone_answers()
    case.wait_talk()


def calls_and_hangs_up(case):
    outgoing(case)
    case.talk()
    phone_ends(case)


def calls_and_peer_hangs_up(case):
    outgoing(case)
    case.talk()
    peer_ends(case)


def cancelled(case):
    case.has_peer()
    case.user.start()
    case.dial()
    case.phone_cancels()
    case.over()


def answers(case):
    incoming(case)
    case.talk()
    peer_ends(case)


def declined(case):
    case.user.start()
    case.has_peer()
    case.phone_declines()
    case.over()


def caller_gives_up(case):
    case.user.start()
    case.has_peer()
    case.peer_cancels()
    case.wait("the INVITE to have its final answer", lambda: case.call().initial()[0].final is not None)
    case.over()


def holds(case):
    outgoing(case)
    case.phone_holds()
    case.phone_unholds()
    case.talk()
    phone_ends(case)


def held(case):
    outgoing(case)
    case.peer_asks("HOLD", "INVITE", 1, "hold")
    case.peer_asks("UNHOLD", "INVITE", 2, "resume")
    case.talk()
    phone_ends(case)


def updated(case):
    outgoing(case)
    case.peer_asks("UPDATE", "UPDATE")
    phone_ends(case)


def informed(case):
    outgoing(case)
    case.peer_asks("INFO", "INFO")
    phone_ends(case)


def informs(case):
    outgoing(case)
    case.phone_informs()
    phone_ends(case)


def refreshes(case):
    """Half of the shortest interval of RFC 4028 goes by, unless the phone has died before."""
    outgoing(case)
    case.wait("a refresh by the phone", lambda: case.user.deaths or case.asked("INVITE", False) or case.asked("UPDATE", False), 60)
    case.settled()
    phone_ends(case)


def refreshes_by_hand(case):
    outgoing(case)
    case.settled()
    case.user.type("reinvite", lambda: case.asked("INVITE", False), lambda calls: bool(calls))
    case.settled()
    phone_ends(case)


def resumes(case):
    outgoing(case)
    case.talk()
    case.user.kill9()
    case.settled()
    case.talk()
    phone_ends(case)


def resumes_as_callee(case):
    incoming(case)
    case.talk()
    case.user.kill9()
    case.settled()
    case.talk()
    peer_ends(case)


ALL = ("sipp", "baresip", "kamailio")
SIPP = ("sipp",)
# name: (function, options, peers, who ends it)
SCENARIOS = {
    "calls_rings_phone_hangs_up": (calls_and_hangs_up, {}, ALL, "phone"),
    "calls_answered_at_once": (calls_and_hangs_up, {"at_once": True}, ALL, "phone"),
    "calls_peer_hangs_up": (calls_and_peer_hangs_up, {}, ALL, "peer"),
    "calls_cancels": (cancelled, {}, ALL, "cancel"),
    "called_answers": (answers, {"calling": True}, ALL, "peer"),
    "called_answers_at_once": (answers, {"calling": True, "phone": ("--auto-answer",)}, ALL, "peer"),
    "called_declines": (declined, {"calling": True}, ALL, "decline"),
    "called_caller_cancels": (caller_gives_up, {"calling": True}, ALL, "cancel"),
    "holds_unholds": (holds, {"at_once": True}, ALL, "phone"),
    "peer_holds_unholds": (held, {"at_once": True, "asks": ("HOLD", "UNHOLD")}, ALL, "phone"),
    "peer_updates": (updated, {"at_once": True, "asks": ("UPDATE",)}, SIPP, "phone"),
    "peer_informs": (informed, {"at_once": True, "asks": ("INFO",)}, SIPP, "phone"),
    "informs": (informs, {"at_once": True}, SIPP, "phone"),
    "challenged_401": (calls_and_hangs_up, {"at_once": True, "challenge": 401}, SIPP, "phone"),
    "challenged_407": (calls_and_hangs_up, {"at_once": True, "challenge": 407}, SIPP, "phone"),
    "refreshes": (refreshes_by_hand, {"at_once": True}, ALL, "phone"),
    "refresh_due": (refreshes, {"at_once": True, "extra": "Session-Expires: 90;refresher=uac",
                                "phone": ("--session-expires", "90")}, SIPP, "phone"),
    "resumes": (resumes, {"at_once": True, "resume": True}, ALL, "phone"),
    "resumes_callee": (resumes_as_callee, {"calling": True, "phone": ("--auto-answer",), "resume": True}, ALL, "peer"),
    "bye_unanswered": (calls_and_hangs_up, {"at_once": True, "bye": "late"}, SIPP, "phone"),
    "bye_challenged": (calls_and_hangs_up, {"at_once": True, "bye": "challenge"}, SIPP, "phone"),
}


def run(env, scenario, peer, mode, kill, before_restart=None):
    """One case. Returns (verdict, reason, whether the phone died, broken rules)."""
    function, _, _, ends = SCENARIOS[scenario]
    case = Case(env, scenario, peer, mode, kill, before_restart)
    reason = ""
    try:
        function(case)
        case.peer_is_done()
    except Failure as failure:
        reason = str(failure).split("\n")[0]
    died = case.user.died_at()
    env.capture.sync()
    if not reason:
        for call in case.wire.known():
            reason = reason or why_lost(call, ends, call.state(died) if died is not None else CONFIRMED)
        if not case.wire.known():
            reason = "the peer never heard of a call"
    broken = broken_rules(env.capture, case.phone)
    ghosts = case.records()
    if reason:
        return "lost", reason, died is not None, broken
    if ghosts:
        broken.append(f"a record is left: {ghosts}")
    state = case.wire.state(died) if died is not None else CONFIRMED
    verdict = "survived" if state == CONFIRMED or state == "early" and ends in ("phone", "peer") else "finished"
    return verdict, "", died is not None, broken
