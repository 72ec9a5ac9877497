"""Calls that never become calls: declined, cancelled, busy. Each ends with the status that the other side gave or asked
for, and none leaves a record behind."""

import os

from lib.waiting import check, until

VARIANTS = ["decline", "decline_603", "caller_cancels", "busy", "cancel", "auto_answer", "auto_decline"]


def run(env):
    {"decline": decline, "decline_603": decline, "caller_cancels": caller_cancels, "busy": busy, "cancel": cancel,
     "auto_answer": auto_answer, "auto_decline": auto_decline}[env.variant](env)


def incoming(env, xml, options=()):
    phone = env.phone(options=options).start()
    peer = env.sipp(xml, remote="127.0.0.1:5060", keys={"phone": "127.0.0.1:5060"})
    return phone, peer


def no_record_stays(phone):
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
    phone.quit()


def decline(env):
    status = 603 if env.variant == "decline_603" else 486
    phone, peer = incoming(env, "calls_in_vain.xml")
    event = phone.wait("call.incoming")
    check("bob" in event["remote"], f"call.incoming does not say who: {event}")
    phone.do("decline 1 603" if status == 603 else "decline 1")
    peer.wait_exit()
    env.capture.wait(f"{status}", lambda m: m.status == status and phone.from_here(m))
    no_record_stays(phone)


def caller_cancels(env):
    phone, peer = incoming(env, "calls_and_cancels.xml")
    phone.wait("call.incoming")
    ringing = env.capture.wait("180", lambda m: m.status == 180 and phone.from_here(m))
    peer.cue("CANCEL", ringing.call_id)
    phone.wait("call.ended", by="remote")
    peer.wait_exit()
    no_record_stays(phone)


def busy(env):
    phone = env.phone().start()
    peer = env.sipp("busy.xml")
    phone.send(f"call {peer.uri}")
    phone.wait("call.failed", status=486)
    peer.wait_exit()
    no_record_stays(phone)


def cancel(env):
    phone = env.phone().start()
    peer = env.sipp("rings.xml")
    phone.send(f"call {peer.uri}")
    phone.wait("call.progress", status=180)
    phone.send("cancel 1")
    phone.wait("call.ended|call.failed")
    peer.wait_exit()
    no_record_stays(phone)


def auto_answer(env):
    phone, peer = incoming(env, "peer_calling.xml", ["--auto-answer"])
    phone.wait("call.established")
    ack = env.capture.wait("the ACK", lambda m: m.method == "ACK")
    peer.cue("BYE", ack.call_id)
    phone.wait("call.ended", by="remote")
    peer.wait_exit()
    no_record_stays(phone)


def auto_decline(env):
    phone, peer = incoming(env, "calls_in_vain.xml", ["--auto-answer=486"])
    peer.wait_exit()
    no_record_stays(phone)
