"""Twice in a row, or while recovering: the second kill loses nothing that the first did not."""

import os

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["before_reinvite", "after_reinvite", "while_starting", "automatic"]


def run(env):
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)

    if env.variant == "before_reinvite":  # restored, and killed before a word was said
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
        phone.kill9()
    elif env.variant == "after_reinvite":  # at the moment at which the re-INVITE has its ACK
        story.kill_and_resume(env, phone)
        phone.kill9()
    elif env.variant == "while_starting":  # as soon as it runs, wherever it may be by then
        for _ in range(5):
            phone.kill9()
            phone.launch()
            until(lambda: os.path.exists(f"/proc/{phone.process.pid}/exe"), 1, "the phone to run")
        phone.kill9()
        check(os.path.exists(phone.record_path()), "the record is gone")
    elif env.variant == "automatic":  # --resume=auto, killed as soon as its re-INVITE is out
        phone.kill9()
        since = phone.killed_at
        phone.launch(resume="auto")
        env.capture.wait("the re-INVITE", lambda m: m.method == "INVITE" and m.is_request and phone.from_here(m), since=since)
        phone.kill9()

    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)
    phone.quit()
