"""A BYE, ours or the peer's, crosses an answer to an INVITE of ours, or a second answer to it comes: each 2xx gets its ACK, each dialog one BYE,
and no CSeq is used twice."""

from lib.far_end import FarEnd
from lib.waiting import check

HOLD = ["2xx_then_bye", "bye_then_2xx", "refused_then_bye", "bye_then_refused"]
VARIANTS = ([f"{what}_{of}" for of in ("hold", "resume") for what in HOLD] +
            ["peers_bye_then_2xx", "peers_bye_then_refused", "quits_unanswered", "two_answers_at_once", "second_answer_after_prack"])


def run(env):
    phone = env.phone().start()
    far = FarEnd(env)
    if env.variant == "two_answers_at_once":
        two_answers_at_once(env, phone, far)
    elif env.variant == "second_answer_after_prack":
        second_answer_after_prack(env, phone, far)
    elif env.variant == "quits_unanswered":
        quits_unanswered(env, phone, far)
        return
    elif env.variant.startswith("peers_bye"):
        peers_bye(env, phone, far)
    else:
        crossing(env, phone, far, *env.variant.rsplit("_", 1))
    if "bye_then" not in env.variant:
        phone.wait("call.ended", by="local")
    # What was not understood is repeated after 0.5 s.
    env.capture.stays_silent(1.2, phone.from_here, "the phone goes on talking")
    each_once(env, phone)
    phone.quit()


def crossing(env, phone, far, what, of):
    far.called(env, phone)
    if of == "resume":
        phone.kill9()
        phone.start()
        phone.wait("call.restored")
    phone.send({"hold": "hold 1", "resume": "reinvite 1"}[of])
    invite = far.take("INVITE")
    phone.send("bye 1")
    bye = far.take("BYE")
    final = (lambda: far.answer(invite, 200, sdp=True)) if "2xx" in what else (lambda: far.answer(invite, 500))
    if what.endswith("then_bye"):
        final()
        far.take("ACK")
        far.answer(bye, 200)
    else:
        far.answer(bye, 200)
        phone.wait("call.ended", by="local")
        final()
        far.take("ACK")
    if what == "bye_then_2xx":
        final()  # as if the ACK had been lost
        far.take("ACK")


def peers_bye(env, phone, far):
    dialog = far.called(env, phone)
    phone.send("hold 1")
    invite = far.take("INVITE")
    far.request("BYE", dialog)
    far.take(lambda m: m.method == "BYE" and m.status == 200)
    phone.wait("call.ended", by="remote")
    refused = env.variant.endswith("refused")
    far.answer(invite, 487 if refused else 200, sdp=not refused)
    far.take("ACK")


def quits_unanswered(env, phone, far):
    """Nobody waits for the answer to the INVITE."""
    far.called(env, phone)
    phone.send("hold 1")
    far.take("INVITE")
    phone.send("bye 1")
    far.answer(far.take("BYE"), 200)
    phone.wait("call.ended", by="local")
    phone.quit(deadline_s=3)


def two_answers_at_once(env, phone, far):
    phone.send(f"call {far.uri}")
    invite = far.take("INVITE")
    for _ in range(2):
        for tag in ("one", "other"):
            far.answer(invite, 200, tag, sdp=True)
    phone.wait("call.established")
    far.answer(far.take("BYE"), 200)
    check({far.take("ACK").tag("to"), far.take("ACK").tag("to")} == {"one", "other"}, "not an ACK for each")
    phone.send("bye 1")
    bye = far.take(lambda m: m.is_request and m.method == "BYE" and m.tag("to") == "one")
    far.answer(bye, 200)


def second_answer_after_prack(env, phone, far):
    """The one that has rung reliably, and has had a PRACK, is the second to answer."""
    phone.send(f"call {far.uri}")
    invite = far.take("INVITE")
    far.answer(invite, 180, "slow", more="Require: 100rel\r\nRSeq: 1\r\n")
    prack = far.take("PRACK")
    far.answer(prack, 200)
    far.answer(invite, 200, "quick", sdp=True)
    again = far.take(lambda m: m.is_request and m.method == "INVITE" and m.tag("to") == "quick")
    far.answer(again, 200, sdp=True)
    far.answer(far.take("CANCEL"), 200)
    phone.wait("call.resumed", 10)
    far.answer(invite, 200, "slow", sdp=True)
    bye = far.take(lambda m: m.is_request and m.method == "BYE" and m.tag("to") == "slow")
    check(bye.cseq > prack.cseq, f"BYE {bye.cseq} after PRACK {prack.cseq}")
    far.answer(bye, 200)
    phone.send("bye 1")
    far.answer(far.take("BYE"), 200)


def each_once(env, phone):
    sent = [m for m in env.capture.sync().messages(phone.from_here) if m.is_request]
    new = {}  # (the dialog, the CSeq) -> branches
    for m in sent:
        if m.method not in ("ACK", "CANCEL"):
            new.setdefault((m.tag("to"), m.cseq), set()).add(m.branch)
    check(all(len(branches) == 1 for branches in new.values()), f"a CSeq used twice: {sent}")
    byes = [m.tag("to") for m in {m.branch: m for m in sent if m.method == "BYE"}.values()]
    check(len(set(byes)) == len(byes), f"two BYEs in a dialog: {sent}")
    said = env.capture.messages(phone.to_here)
    answered = {(m.tag("to"), m.cseq) for m in said if m.method == "INVITE" and m.status and m.status >= 200}
    acked = {(m.tag("to"), m.cseq) for m in sent if m.method == "ACK"}
    check(answered == acked, f"answered {answered}, acknowledged {acked}")
