"""A look at the phone at rest: what it has, what its peers believe, and what lies on the disk are the same calls."""

import time

from calls import EARLY, ENDING, TALKING
from lib.waiting import Failure, until

REST_WITHIN_S = 45   # from the last kill until every call is established again
SPARES_MAX = 256
OTHER_FILES = {"lock", "epoch", "epoch.tmp", "media.page", "hand.page"}


class Audit:
    def __init__(self, calls, victim, wire, lock, report):
        self.calls, self.victim, self.wire, self.lock, self.report = calls, victim, wire, lock, report
        self.sockets_base = None
        self.sockets_max = 0

    def wait_ready(self):
        until(lambda: self._list() == {}, 10, "the phone to list no calls")
        self.sockets_base = self.victim.sockets()

    def _list(self, deadline_s=5):
        """What `calls` says: number -> event. None if it does not say it in time."""
        with self.lock:
            self.calls.listed = None
        self.victim.send("calls")
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            with self.lock:
                if self.calls.listed is not None:
                    return self.calls.listed
            time.sleep(0.01)
        return None

    def _settled(self):
        """Lets the calls go on without new ones, until those that there are are all talking."""
        with self.lock:
            self.calls.tick()
            lives = self.calls.lives()
            if any(life.state in (EARLY, ENDING) for life in lives):
                return None
        listed = self._list()
        if listed is None:
            return None
        if any(event["state"] != "established" for event in listed.values()):
            return None
        with self.lock:
            talking = {life.call_id for life in self.calls.lives() if life.state == TALKING}
            if any(life.state != TALKING for life in self.calls.lives()):
                return None
            ids = {self.calls.numbers.get(number) for number in listed}
            return listed if ids == talking else None

    def at_rest(self):
        """No kill comes during this."""
        with self.lock:
            self.calls.more, self.calls.at_rest = False, True
        try:
            try:
                listed = until(self._settled, REST_WITHIN_S, "the calls to settle", step_s=0.02)
            except Failure:
                self._differences()
                return
            self._files(len(listed))
            self._rtp()
            self._wire()
        finally:
            with self.lock:
                self.calls.more, self.calls.at_rest = True, False
                self.wire.forget()
                lost = self.wire.lost()
            if lost:
                self.report("blind", None, f"{lost} packets were too many for this program to see")

    def _differences(self):
        """They did not come to rest: which of them, and how."""
        listed = self._list()
        if listed is None:
            self.report("lost", None, "the phone does not answer `calls`")
            return
        with self.lock:
            for number, event in listed.items():
                call_id = self.calls.numbers.get(number)
                life = next((one for one in self.calls.lives() if one.call_id == call_id), None)
                dialog = self.wire.dialogs.get(call_id)
                if life is None:
                    self.report("ghost", dialog, f"call {number} of the phone ({event['state']}) has no peer")
                elif event["state"] != "established":
                    self.report("lost", dialog, f"{life}: still {event['state']} {REST_WITHIN_S} s after the last kill")
            for life in self.calls.lives():
                if life.call_id not in {self.calls.numbers.get(number) for number in listed}:
                    self.report("lost", life.dialog, f"{life}: the peer has it ({life.state}), the phone does not")

    def _files(self, count):
        def as_wanted():
            records, others, top = self.victim.files()
            with self.lock:
                wanted = {life.call_id for life in self.calls.lives()}
            self.found = (records, others, top, self.victim.sockets(), wanted)
            return (set(records.values()) == wanted and len(records) == len(wanted)
                    and all(name.endswith(".tmp") for name in others) and len(others) <= SPARES_MAX
                    and set(top) <= OTHER_FILES and self.found[3] <= self.sockets_base + 2 * count)
        try:
            until(as_wanted, 2, "")
        except Failure:
            records, others, top, sockets, wanted = self.found
            for number, call_id in records.items():
                if call_id not in wanted:
                    self.report("ghost", self.wire.dialogs.get(call_id), f"the record {number}.json is of no call that lives")
            for call_id in wanted - set(records.values()):
                self.report("lost", self.wire.dialogs.get(call_id), "a call that lives has no record")
            if len(others) > SPARES_MAX or any(not name.endswith(".tmp") for name in others):
                self.report("leak", None, f"in dialogs/: {others}")
            if not set(top) <= OTHER_FILES:
                self.report("leak", None, f"in the state directory: {sorted(set(top) - OTHER_FILES)}")
            if sockets > self.sockets_base + 2 * count:
                self.report("leak", None, f"the keeper holds {sockets - self.sockets_base} sockets for {count} calls")
        self.sockets_max = max(self.sockets_max, self.found[3])

    def _rtp(self):
        """Who is not on hold is heard. Listed anew: a hold may still have been under way."""
        listed = self._list() or {}
        with self.lock:
            wanted = {self.calls.numbers[number] for number, event in listed.items()
                      if not event["hold_local"] and not event["hold_remote"]}
        begin = time.monotonic()
        def silent():
            with self.lock:
                return wanted - {s.call for s in self.wire.streams.values() if s.last > begin}
        try:
            until(lambda: not silent(), 1, "")
        except Failure:
            for call_id in silent():
                self.report("lost", self.wire.dialogs.get(call_id), "not on hold, and no RTP for a second")

    def _wire(self):
        """Each offer of the phone that was accepted has its ACK, unless a later one has."""
        with self.lock:
            for life in self.calls.lives():
                dialog = life.dialog
                accepted = [c for c, status in dialog.invites["phone"].items() if status in range(200, 300)]
                if accepted and dialog.acked["phone"] < max(accepted):
                    self.report("lost", dialog, f"no ACK for INVITE {max(accepted)}")

    def wind_up(self):
        """All calls end as they would; nothing of them is left."""
        with self.lock:
            self.calls.more = self.calls.at_rest = False
            for life in self.calls.lives():
                life.ends_at = time.monotonic()
        def empty():
            with self.lock:
                self.calls.tick()
                return not self.calls.lives() and not self.calls.leaving
        until(empty, 90, "the calls to end")
        self._files(0)
        listed = self._list()
        if listed != {}:
            self.report("ghost", None, f"calls that the phone still has: {listed}")
        status = self.victim.quit()
        if status not in (0, 1, 3):  # 1: a command came too late for its call; 3: a call was lost, which is counted
            self.report("crash", None, f"the phone ended with {status} after quit")
        records, others, top = self.victim.files()
        if records or others:
            self.report("leak", None, f"left after quit: {records} {others}")
