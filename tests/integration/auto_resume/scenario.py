"""With --resume=auto nobody types anything: the audio goes on as soon as the phone runs, before the peer has answered the
re-INVITE, and the ledger counts what was lost."""

from lib import checks, story
from lib.waiting import check

VARIANTS = ["caller", "callee"]


def run(env):
    phone = env.phone(audio="tone:440", resume="auto").start()
    if env.variant == "caller":
        peer = env.sipp("peer_called.xml")
        call_id = story.called_peer(env, phone, peer)
    else:
        peer, call_id = story.calling_peer(env, phone)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)

    peer.process.freeze()
    phone.kill9()
    phone.start()
    check("reinvite" not in phone.wait("call.restored")["text"], "the user is asked to type what is done already")
    env.capture.wait_rtp("before the re-INVITE is answered", lambda r: r.source[0] == phone.address, 20,
                         since=phone.killed_at)
    peer.process.thaw()
    phone.wait("call.resumed")
    checks.same_refresh(env.capture, phone, phone.killed_at)
    entry = phone.wait("ledger", call=1)
    check(entry.get("verdict") == "survived", f"ledger: {entry}")
    check(phone.wait("ledger.summary").get("lost") == 0, "the summary counts a lost call")
    env.capture.wait_rtp("after it", lambda r: r.source[0] == phone.address, 20, since=entry["(seen)"])

    ours = checks.rtp_from(env.capture, phone)
    checks.one_stream(ours)
    lost, gap_ms = checks.over_a_kill(ours, phone)
    print(f"{lost} packets lost, a gap of {gap_ms:.0f} ms; the ledger: {entry}")
    check(abs(entry.get("packets_lost", 0) - lost) <= 1, f"{lost} packets are missing on the wire, the ledger says {entry}")
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
