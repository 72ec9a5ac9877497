"""The lives of the calls, several at a time: they come, talk, hold, unhold and go, in both directions."""

import time

from peer import Peer

SAY_AGAIN_S = 2          # what was typed may have died with the phone
BEGIN_WITHIN_S = 60      # from the first word to an established call
END_WITHIN_S = 60        # from the first BYE to the end of sipp
EARLY, TALKING, ENDING = "early", "talking", "ending"


class Life:
    """One call, from the sipp that is made for it until that has ended."""

    def __init__(self, calls, slot, serial):
        dice = calls.dice
        self.calls, self.slot, self.serial = calls, slot, serial
        self.name = f"p{serial}"
        self.address = f"127.{1 + serial // 250 // 250 % 250}.{serial // 250 % 250}.{1 + serial % 250}"
        self.peer_calls = dice.random() < 0.5
        ring_ms = 0 if calls.established_only else dice.choice((0, 100, 400, 1500))
        self.answer_after_s = ring_ms / 1000
        self.peer = Peer(calls.directory, self.name, self.address, f"{calls.victim.address}:5060", self.peer_calls, ring_ms)
        self.state = EARLY
        self.call_id = None
        self.number = None
        self.begun = time.monotonic()
        self.said = 0.0
        self.seen_incoming = None
        self.ends_at = None
        self.next_action = None
        self.ending_since = None
        self.ends_by = dice.choice(("phone", "peer"))
        self.length_s = dice.choice((1, 3, 5, 10, 20)) * dice.uniform(0.5, 1.5)

    def __str__(self):
        return f"call {self.serial} ({'from' if self.peer_calls else 'to'} {self.peer.uri}, number {self.number})"

    @property
    def dialog(self):
        return self.calls.wire.dialogs.get(self.call_id) if self.call_id else None

    def tick(self, now):
        """True when it is over."""
        if self.call_id is None:
            found = next((d for d in self.calls.wire.dialogs.values() if d.address == self.address and d.life is None), None)
            if found is not None:
                self.call_id, found.life = found.call_id, self.name
        if not self.peer.process.running():
            return self.lose("lost", f"the peer has ended in the middle of it: {self.peer.errors()}")
        if self.state == ENDING and self.dialog.ended:
            self.calls.leaving.append(self)
            return True
        return {EARLY: self.begin, TALKING: self.talk, ENDING: self.end}[self.state](now)

    def begin(self, now):
        dialog = self.dialog
        if dialog is not None and dialog.established:
            self.state = TALKING
            self.ends_at = now + self.length_s
            self.next_action = now + self.calls.dice.uniform(0, 0.5)
            return False
        if now - self.begun > BEGIN_WITHIN_S:
            return self.lose("lost", f"not established within {BEGIN_WITHIN_S} s")
        again = now - self.said > SAY_AGAIN_S
        if self.peer_calls:
            if again and self.number is not None and self.seen_incoming and now - self.seen_incoming >= self.answer_after_s:
                self.said = now
                self.calls.victim.send(f"answer {self.number}")
        elif again and dialog is None and self.number is None and (self.said or self.peer.listening()):
            self.said = now
            self.calls.victim.send(f"call -n {self.peer.uri}")
        return False

    def talk(self, now):
        if self.dialog.ended:
            return self.lose("lost", "ended, and nobody had asked for it")
        if self.calls.at_rest:
            return False
        if now >= self.ends_at:
            self.state, self.ending_since, self.said = ENDING, now, 0.0
            if self.ends_by == "phone":
                self.calls.wire.expected_byes.add(self.call_id)
            return False
        if now >= self.next_action:
            self.next_action = now + self.calls.dice.expovariate(1 / 0.7)
            action = self.calls.dice.choice(("hold", "unhold", "info", "HOLD", "UNHOLD", "INFO"))
            if action.isupper():
                self.peer.cue(action, self.call_id)
            elif self.number is not None:
                self.calls.victim.send(f"{action} {self.number}" + (" 5" if action == "info" else ""))
        return False

    def end(self, now):
        if now - self.ending_since > END_WITHIN_S:
            return self.lose("lost", f"its end took more than {END_WITHIN_S} s")
        if now - self.said > SAY_AGAIN_S:
            self.said = now
            if self.ends_by == "peer":
                self.peer.cue("BYE", self.call_id)
            elif self.number is not None and self.calls.numbers.get(self.number) == self.call_id:
                self.calls.victim.send(f"bye {self.number}")
        return False

    def gone(self):
        """Whether sipp has ended; asked when the call is over."""
        if self.peer.process.running():
            return False
        if self.peer.process.popen.returncode != 0:
            self.calls.report("lost", self.dialog, f"{self}: for the peer it failed: {self.peer.errors()}")
        self.calls.completed += 1
        self.peer.remove()
        return True

    def lose(self, kind, what):
        self.calls.report(kind, self.dialog, f"{self}: {what}")
        self.calls.wire.close(self.dialog)
        if self.number is not None and self.calls.numbers.get(self.number) == self.call_id:
            self.calls.victim.send(f"bye {self.number}")
        self.peer.process.stop()
        return True


class Calls:
    def __init__(self, victim, wire, dice, directory, count, established_only, report):
        self.victim, self.wire, self.dice, self.directory = victim, wire, dice, directory
        self.count, self.established_only, self.report = count, established_only, report
        self.leaving = []       # over, and sipp lingers
        self.slots = [None] * count
        self.numbers = {}       # the phone's numbers -> Call-ID, as last heard
        self.listing = {}
        self.listed = None      # what the last `calls` said, once it is complete
        self.serial = 0
        self.completed = 0
        self.more = True        # whether new calls begin
        self.at_rest = False    # nobody says anything new
        self.next_begin = 0.0

    def lives(self):
        return [life for life in self.slots if life is not None]

    def any_early(self):
        return any(life.state == EARLY for life in self.lives())

    def tick(self):
        now = time.monotonic()
        self.leaving = [life for life in self.leaving if not life.gone()]
        for slot, life in enumerate(self.slots):
            if life is not None and life.tick(now):
                self.slots[slot] = None
            elif life is None and self.more and now >= self.next_begin:
                self.serial += 1
                self.slots[slot] = Life(self, slot, self.serial)
                self.next_begin = now + self.dice.uniform(0, 0.5)

    def on_event(self, event):
        name, number, call_id = event.get("event", ""), event.get("call"), event.get("call_id")
        if name == "call.listed":
            self.listing[number] = event
        elif name == "call.none":
            self.listing = {}
        elif name == "ok" and event.get("command") == "calls":
            self.listed, self.listing = self.listing, {}
        elif name == "ready":
            self.listing = {}
        elif number is not None and call_id:
            self.numbers[number] = call_id
            for life in self.lives():
                if life.call_id == call_id or life.call_id is None and f":{life.name}@" in event.get("remote", ""):
                    life.number = number
                    if name == "call.incoming" or life.peer_calls and name == "call.restored":
                        life.seen_incoming = life.seen_incoming or time.monotonic()
        if name in ("call.lost", "call.gone", "call.failed", "call.trouble") or event.get("verdict") == "lost":
            self.report("lost", self.wire.dialogs.get(call_id), f"the phone says: {event.get('text')}")
        elif name in ("journal.rejected", "media.trouble"):
            self.report("trouble", None, f"the phone says: {event.get('text')}")
        elif name == "call.ended" and event.get("by") not in ("local",) and not str(event.get("by")).startswith("remote"):
            self.report("lost", self.wire.dialogs.get(call_id), f"the phone says: {event.get('text')}")
