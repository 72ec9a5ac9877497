"""`drill` makes a call, kills the phone in the middle of it, and the next life says what became of the call: in words and
as JSON, at the prompt and in a script, with a test peer of its own or with somebody else."""

import glob
import os

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["self", "self_tcp", "self_wildcard", "script", "uri", "peer_gone", "peer_gone_script", "others", "no_keeper",
            "cannot", "file"]


def keeper(env):
    return [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--burst", "0", "--"]


def kept(env, resume="auto", **arguments):
    return env.phone(audio="tone:440", resume=resume, launcher=keeper(env), **arguments)


def run(env):
    globals()["run_" + env.variant](env)


def drill_file(phone):
    return os.path.join(phone.state, "drill")


def peers():
    """Test peers that live."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                found += [path] if b"drill-peer" in file.read() else []
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def survived(event, audio=True):
    check(event["verdict"] == "survived", f"{event}")
    check(0 <= event["ready_ms"] <= event["resumed_ms"] < 5000, f"{event}")
    check(event["text"].startswith("drill: survived: "), f"{event}")
    if audio:
        check(0 < event["gap_ms"] < 5000 and 0 <= event["packets_lost"] < 250 and event["packets_twice"] == 0, f"{event}")
        check(event["packets_before"] >= 25 and event["packets_after"] >= 1, f"{event}")


def over(phone):
    check(not os.path.exists(drill_file(phone)), "the drill's file was left")
    until(lambda: not peers(), 5, "the test peer to end")
    until(lambda: not glob.glob(os.path.join(phone.state, "dialogs", "*.json*")), 5, "the record to be removed")


def by_itself(env, phone):
    phone.start()
    phone.send("drill")
    phone.wait("call.established", 10)
    for peer in peers():
        with open(peer.replace("cmdline", "environ"), "rb") as file:
            check(b"NOTIFY_SOCKET" not in file.read(), "the test peer knows our keeper")
    phone.wait("drill.kill", 10)
    survived(phone.wait("drill", 10))
    phone.wait("call.ended", by="local")
    over(phone)
    phone.do("calls")
    phone.quit()


def run_self(env):
    by_itself(env, kept(env))
    bye = env.capture.sync().messages(lambda m: m.method == "BYE")[0]  # what is on its way then is refused
    refused = [p for p in env.capture.datagrams if p.transport == "icmp" and p.time < bye.time]
    check(not refused, f"{len(refused)} ICMP messages")


def run_self_tcp(env):
    by_itself(env, kept(env, transport="tcp"))


def run_self_wildcard(env):
    by_itself(env, kept(env, address="0.0.0.0"))


def run_script(env):
    phone = kept(env)
    status, events, _ = phone.run("-c", "drill", "-c", "call sip:nobody@127.0.0.9", deadline_s=20)
    check(status == 0, f"exit status {status}")
    verdicts = [e for e in events if e["event"] == "drill"]
    check(len(verdicts) == 1, f"{len(verdicts)} verdicts")
    survived(verdicts[0])
    check(not [e for e in events if e["event"] == "call.dialling"], "the script went on")
    over(phone)


def run_uri(env):
    phone = kept(env).start()
    peer = env.sipp("peer_called.xml")
    phone.send(f"drill {peer.uri}")
    phone.wait("drill.kill", 10)
    survived(phone.wait("drill", 10))
    peer.wait_exit()  # it got our BYE
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone))
    over(phone)
    phone.quit()


def peer_goes(phone, peer):
    """It dies while the phone is dead: the keeper is stopped meanwhile, from before the kill."""
    phone.wait("call.established", 10)
    phone.process.freeze()
    phone.wait("drill.kill", 10)
    peer.kill9()
    phone.process.thaw()


def run_peer_gone(env):
    phone = kept(env, options=["--resume-deadline", "3"]).start()
    peer = env.sipp("peer_called.xml")
    phone.send(f"drill {peer.uri}")
    peer_goes(phone, peer)
    event = phone.wait("drill", 15)
    check(event["verdict"] == "lost" and event["reason"], f"{event}")
    check(event["text"] == "drill: lost: " + event["reason"], f"{event}")
    check(not os.path.exists(drill_file(phone)), "the drill's file was left")
    phone.send("quit")
    status = phone.wait_exit(10)
    check(status == 3, f"exit status {status}")


def run_peer_gone_script(env):
    phone = kept(env, options=["--resume-deadline", "3"])
    peer = env.sipp("peer_called.xml")
    phone.launch(["-c", f"drill {peer.uri}"], interactive=False)
    peer_goes(phone, peer)
    status = phone.wait_exit(30)
    check(status == 3, f"exit status {status}")
    check([e["verdict"] for e in phone.seen("drill")] == ["lost"], "no verdict")


def run_others(env):
    """Other calls are killed and resumed, too, if that was wanted."""
    phone = kept(env).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    error = phone.fails("drill")
    check("drill force" in error["text"] and "1 other call" in error["text"], f"{error}")
    phone.send("drill force")
    phone.wait("drill.kill", 10)
    survived(phone.wait("drill", 10))
    phone.wait("ledger", 10, call=1, verdict="survived")
    phone.wait("call.ended", by="local", call=2)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    over(phone)
    phone.quit()


def run_no_keeper(env):
    phone = env.phone().start()
    error = phone.fails("drill")
    check("--keep" in error["text"], f"{error}")
    check(not os.path.exists(drill_file(phone)) and not peers(), "something was begun")
    phone.quit()


def run_cannot(env):
    """What fails before the kill kills nothing, and leaves nothing."""
    phone = kept(env).start()
    for command, why in (("drill sip:nobody@127.0.0.9", None), ("drill not-a-uri:x", None), ("drill a b c", "usage"),
                         ("drill a b", "usage")):
        error = phone.fails(command, 30)
        check(why is None or why in error["text"], f"{command}: {error}")
    check(phone.runs == 1 and not phone.seen("drill.kill") and len(phone.seen("ready")) == 1, "the phone was killed")
    phone.send("drill")
    phone.wait("drill.kill", 10)
    survived(phone.wait("drill", 10))
    over(phone)
    phone.quit()
    phone = kept(env, name="ask", port=5070, resume="ask").start()
    check("--resume=auto" in phone.fails("drill")["text"], "a drill that nobody would finish")
    phone.quit()
    phone = kept(env, name="forgetful", port=5090, options=["--no-journal"]).start()
    check("--no-journal" in phone.fails("drill")["text"], "a drill without a journal")
    phone.quit()
    phone = kept(env, name="proxied", port=5080, options=["--outbound-proxy", "sip:127.0.0.9"]).start()
    check("drill URI" in phone.fails("drill")["text"], "a drill through the proxy")
    phone.quit()


def run_file(env):
    """Whatever lies there: the phone starts, says so, and removes it."""
    good = b"revenant drill 2\ncall 1\nkilled_ms 1\npackets 30\n"
    for content in (good, good[:-1], good * 2, b"", b"\0" * 100, b"x" * 1_000_000, good.replace(b"call 1", b"call -1"),
                    good.replace(b"1790000000000", b"9" * 40)):
        phone = env.phone()
        os.makedirs(phone.state, exist_ok=True)
        with open(drill_file(phone), "wb") as file:
            file.write(content)
        phone.start()
        event = phone.wait("drill.left")
        check(("not finished" in event["text"]) == (content == good), f"{content[:80]}: {event}")
        check(not os.path.exists(drill_file(phone)), "it is still there")
        phone.quit()
    os.mkfifo(drill_file(phone))
    phone.start()
    phone.wait("drill.left")
    phone.quit()
    # A life that comes back, and the call is not there.
    phone = kept(env, name="back", port=5070).start()
    with open(drill_file(phone), "wb") as file:
        file.write(good)
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        os.kill(int(file.read()), 9)
    event = phone.wait("drill", 10)
    check(event["verdict"] == "lost" and "no record" in event["reason"], f"{event}")
    phone.send("quit")
    check(phone.wait_exit() == 3, "a lost drill ends with another status than 3")
