"""Twice in a row, or while recovering: the second kill loses nothing that the first did not."""

import os
import socket

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["before_reinvite", "after_reinvite", "while_starting", "automatic", "answer_left_over"]


def read_by(phone, data):
    """The phone has read this datagram: it answers the OPTIONS behind it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(5)
        stranger.bind((phone.address, 0))
        host, port = stranger.getsockname()
        stranger.sendto(data, (phone.address, phone.port))
        stranger.sendto((f"OPTIONS sip:{phone.address} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKbarrier\r\n"
                         f"From: <sip:a@{host}>;tag=a\r\nTo: <sip:b@{host}>\r\nCall-ID: barrier\r\nCSeq: 1 OPTIONS\r\n"
                         "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(), (phone.address, phone.port))
        check(stranger.recv(65535).startswith(b"SIP/2.0 200 "), "no 200 to OPTIONS")


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

    elif env.variant == "answer_left_over":  # what the stand-in had said was not read, and is read now
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
        said = env.capture.wait("the stand-in's answer", lambda m: m.status == 200 and m.method == "INVITE"
                                and (m.get("server") or "").startswith("stand-in-"))
        phone.kill9()

    phone.start()
    phone.wait("call.restored")
    if env.variant == "answer_left_over":
        read_by(phone, said.data)
        story.quiet(env, phone, phone.killed_at)
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)
    phone.quit()
