"""A call whose resume is not answered as it should be waits to ask again, and answers the peer all the while: a 481 would end
it at the other end (RFC 3261 section 12.2.1.2)."""

import time

from lib.far_end import FarEnd
from lib.waiting import check

VARIANTS = ["500", "503", "503_retry_after", "480", "port_closed", "refreshed_by_peer",
            "overtaken_by_peer"]
ASKED_S = 4
EVERY_S = 0.02


def run(env):
    phone = env.phone().start()
    far = FarEnd(env)
    dialog = far.called(env, phone)
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    if env.variant == "overtaken_by_peer":
        overtaken_by_peer(phone, far, dialog)
        return
    if env.variant == "port_closed":
        far.socket.close()
        other = FarEnd(env, port=5070)
        other.to, far = (phone.address, phone.port), other
    phone.send("reinvite 1")
    asked, answers = asks(env, phone, far, dialog)
    check(len(answers) == len(asked), f"{len(asked)} questions, {len(answers)} answers")
    check({m.status for m in answers} == {200}, f"answers: {[m.status for m in answers]}")
    if env.variant == "refreshed_by_peer":
        phone.wait("call.resumed")
        ends(phone, far)
        return
    check(len(phone.seen("call.retrying")) >= 2, "it has not tried again")
    if env.variant == "port_closed":
        back = FarEnd(env)
        back.to, far = far.to, back
    far.answer(far.take("INVITE", 10), 200, sdp=True)
    phone.wait("call.resumed")
    far.take("ACK")
    ends(phone, far)


def overtaken_by_peer(phone, far, dialog):
    """Our re-INVITE is accepted, and the phone dies. The other end goes on to an offer of its own, which the next life
    answers instead of asking again; what is still said again gets its ACK (RFC 3261 section 13.3.1.4)."""
    phone.send("reinvite 1")
    invite = far.take("INVITE")
    phone.kill9()
    far.answer(invite, 200, sdp=True)
    phone.start()
    phone.wait("call.restored")
    far.request("INVITE", dialog)
    ok = far.take(lambda m: m.status == 200 and m.method == "INVITE")
    far.request("ACK", dialog, cseq=ok.cseq)
    phone.wait("call.resumed")
    for _ in range(2):
        far.answer(invite, 200, sdp=True)
        ack = far.take("ACK")
        check(ack.cseq == invite.cseq, f"an ACK with {ack.cseq} for the INVITE {invite.cseq}")
    ends(phone, far)


def ends(phone, far):
    phone.send("bye 1")
    far.answer(far.take("BYE"), 200)
    phone.wait("call.ended", by="local")
    phone.quit()


def asks(env, phone, far, dialog):
    """What it asks, and the answers to that, while each re-INVITE of the phone's gets no 2xx."""
    asked, answers = set(), []
    end = time.monotonic() + ASKED_S
    refresh = env.variant == "refreshed_by_peer"
    while time.monotonic() < end:
        if refresh and len(asked) == 50:
            far.request("INVITE", dialog, cseq=None)
            refresh = False
            ok = far.take(lambda m: m.status == 200 and m.method == "INVITE")
            far.request("ACK", dialog, cseq=ok.cseq)
        asked.add(far.request("OPTIONS", dialog))
        far.read(EVERY_S)
        for message in [m for m in far.came if m.is_request and m.method == "INVITE"]:
            far.came.remove(message)
            status = env.variant[:3] if env.variant[0].isdigit() else 503
            far.answer(message, status, more="Retry-After: 1\r\n" if "retry_after" in env.variant else "")
    far.read(0.5)
    for message in [m for m in far.came if m.status and m.method == "OPTIONS"]:
        far.came.remove(message)
        answers.append(message)
    check({m.cseq for m in answers} <= asked, "an answer to what nobody has asked")
    return asked, answers
