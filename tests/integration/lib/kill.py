"""A SIGKILL before the call is a call, and that the call is good for everything afterwards."""

import os
import time

from . import checks, story
from .waiting import until


class Kill:
    """A phone, and how it is killed and comes back: started again by us, or by its keeper."""

    def __init__(self, env, kept, transport=None):
        self.env = env
        self.transport = transport
        keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
        self.kept = kept
        self.phone = env.phone(launcher=[keeper, "--"] if kept else (), transport=transport)
        self.phone.start()

    def __call__(self):
        phone = self.phone
        if not self.kept:
            phone.kill9()
            return
        phone.killed_at = time.time()
        with open(f"/proc/{phone.process.popen.pid}/task/{phone.process.popen.pid}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), 9)

    def answered_meanwhile(self, peer, call_id, cue="ANSWER"):
        """Dead, the peer's 200 to our INVITE on the wire, and back."""
        self()
        peer.cue(cue, call_id)
        self.env.capture.wait("the 200", lambda m: m.status == 200 and m.method == "INVITE" and self.phone.to_here(m))
        self.back()

    def back(self):
        if not self.kept:
            self.phone.start()
        else:
            self.phone.wait("ready")


def ends_well(kill, who, peer, call_id):
    """The call is good for everything, and nothing of it stays."""
    env, phone = kill.env, kill.phone
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, who, call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    nothing_stays(kill)


def nothing_stays(kill):
    phone = kill.phone
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
    if kill.transport == "tcp" and kill.kept:
        last = kill.env.capture.sync().messages(phone.from_here)[-1]
        checks.one_connection(kill.env.capture, phone, last.time)  # sipp closes it then
    phone.quit()
