"""A script is a promise about the exit status: 0 all commands succeeded, 1 one failed, 2 usage, 3 a call was lost on
resume. -c and -f run in order, each command after the one before has finished."""

import json
import signal
import subprocess

from lib import story
from lib.waiting import check

VARIANTS = ["succeeds", "fails", "usage", "lost", "file", "detached", "stdin", "signals", "words"]


def run(env):
    {"succeeds": succeeds, "fails": fails, "usage": usage, "lost": lost, "file": file, "detached": detached,
     "stdin": stdin, "signals": signals, "words": words}[env.variant](env)


def expect(result, wanted):
    status, events, output = result
    check(status == wanted, f"exit status {status}, not {wanted}:\n{output}")
    return events


def commands(*lines):
    return [part for line in lines for part in ("-c", line)]


def succeeds(env):
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    events = expect(phone.run(*commands(f"call {peer.uri}", "wait established 1 5", "info 1 hi", "hold 1", "unhold 1",
                                        "calls", "show 1", "bye 1", "wait ended 1 5", "quit"), deadline_s=20), 0)
    peer.wait_exit()
    order = [e["event"] for e in events]
    check(order.index("call.established") < order.index("call.held") < order.index("call.unheld")
          < order.index("call.ended"), f"out of order: {order}")


def fails(env):
    phone = env.phone()
    expect(phone.run(*commands("bye 7", "quit")), 1)
    expect(phone.run(*commands("no_such_command")), 1)
    expect(phone.run(*commands("wait established 1 1"), deadline_s=10), 1)
    events = expect(phone.run(*commands("bye 7", "calls")), 1)  # the first failure ends the script
    check(not [e for e in events if e["event"] == "call.none"], f"it went on: {events}")
    events = expect(phone.run("--keep-going", *commands("bye 7", "calls")), 1)
    check([e for e in events if e["event"] == "call.none"], f"it did not go on: {events}")


def usage(env):
    phone = env.phone()
    for arguments in (["--no-such-option"], ["--resume=perhaps"], ["--rtp-ports", "9-1"], ["--listen", "nonsense:x"],
                      ["-f", env.path("no-such-file")], ["--session-expires", "-5"], ["--auto-answer=99"]):
        expect(phone.run(*arguments, "-c", "calls"), 2)
    refusal = expect(phone.run("--codecs", "PCMA,G729", "-c", "calls"), 2)
    check("G729" in json.dumps(refusal) and "PCMU" in json.dumps(refusal), f"not said what there is: {refusal}")
    help_ = env.process("help", [env.binary, "--help"])
    check(help_.wait_exit(5) == 0, "--help failed")
    check("--state" in help_.log(), "--help does not help")
    version = env.process("version", [env.binary, "--version"])
    check(version.wait_exit(5) == 0 and version.log().strip(), "--version says nothing")


def lost(env):
    """The peer is unreachable until the deadline: said, and status 3."""
    phone = env.phone(options=["--resume-deadline", "3"]).start()
    peer = env.sipp("peer_called.xml")
    story.called_peer(env, phone, peer)
    phone.kill9()
    peer.kill9()
    events = expect(phone.run(*commands("reinvite all", "quit"), deadline_s=30), 3)
    check([e for e in events if e["event"] == "call.lost"], f"no call.lost: {events}")


def file(env):
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    path = env.path("script.txt")
    with open(path, "w", encoding="ascii") as script:
        script.write(f"# a comment\n\ncall {peer.uri}\nwait established 1 5\nbye 1\nwait ended 1 5\nquit\n")
    expect(phone.run("-f", path, deadline_s=15), 0)
    peer.wait_exit()
    with open(path, "w", encoding="ascii") as script:
        script.write("# nothing yet\n")
    expect(phone.run("-f", path, deadline_s=15), 0)


def detached(env):
    """detach leaves the call alive, quit says BYE: the one is the other's opposite."""
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    expect(phone.run(*commands(f"call {peer.uri}", "wait established 1 5", "detach"), deadline_s=15), 0)
    check(not env.capture.messages(lambda m: m.method == "BYE"), "detach said BYE")
    expect(phone.run(*commands("reinvite all", "info 1 hello", "quit"), deadline_s=15), 0)
    peer.wait_exit()
    env.capture.wait("the BYE of quit", lambda m: m.method == "BYE" and phone.from_here(m))


def typed(phone, *lines, options=()):
    """What comes from a pipe on stdin; the exit status and what was printed."""
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run([phone.env.binary, *phone.base, *options], input=text,
                          capture_output=True, text=True, timeout=30, cwd=phone.env.directory)
    return done.returncode, done.stdout, done.stderr


def stdin(env):
    """Commands on a stdin that is no terminal are a script: each waits for the one before, the first failure ends it."""
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    status, out, _ = typed(phone, "# a call", f"call {peer.uri}", "hold", "unhold", "info #", "bye", "calls")
    check(status == 0, f"exit status {status}:\n{out}")
    order = [out.index(text) for text in ("established with", "on hold", "off hold", "ended by us", "no calls")]
    check(order == sorted(order), f"out of order:\n{out}")
    env.capture.wait("the digit", lambda m: m.method == "INFO" and b"Signal=#" in m.body)
    peer.wait_exit()
    status, out, _ = typed(phone, "bye 7", "calls")
    check(status == 1 and "no calls" not in out and "stdin, command 1: there is no call 7" in out, f"{status}:\n{out}")
    status, out, _ = typed(phone, "bye 7", "calls", options=["--keep-going"])
    check(status == 1 and "no calls" in out, f"{status}:\n{out}")
    status, out, _ = typed(phone, "calls", "no_such_command", "calls", options=["--json"])
    events = [json.loads(line) for line in out.splitlines()]
    told = [(e["event"], e["command"]) for e in events if e["event"] in ("ok", "error")]
    check(status == 1 and told == [("ok", "calls"), ("error", "no_such_command")], f"{status}: {told}")
    status, out, _ = typed(phone, "calls", options=["--keep", "-f", "-"])
    check(status == 0 and "no calls" in out, f"the keeper's phone has not got the script, {status}:\n{out}")
    status, out, err = typed(phone, options=["--listen", "198.51.100.7:5060"])
    check(status == 1 and "198.51.100.7" in err and "198.51.100.7" not in out, f"{status}: out {out!r} err {err!r}")


def signals(env):
    """A script that a signal cuts short says so by its status, 128 and the number; the calls end, or are left by SIGHUP."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        phone = env.phone(name=f"phone_{number.name}", port=5060 + number)
        phone.launch(["-c", "wait incoming 60"], interactive=False)
        phone.wait("ready")
        phone.process.signal(number)
        status = phone.wait_exit()
        check(status == 128 + number, f"exit status {status} after {number.name}")
    phone = env.phone(name="at_the_prompt", port=5090).start()
    phone.process.signal(signal.SIGTERM)
    check(phone.wait_exit() == 0, "SIGTERM at the prompt is an ordinary end")


def words(env):
    """What is said, where a user would else guess: seconds for a call that is not there, a second hold, a free port."""
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    status, out, _ = typed(phone, "wait established 0.2", options=["--keep-going"])
    check(status == 1 and "not within 0.2 s" in out, f"{status}:\n{out}")
    status, out, _ = typed(phone, "wait established 1", options=["--keep-going"])
    check(status == 1 and "not within 1 s" in out, f"{status}:\n{out}")
    status, out, _ = typed(phone, f"call {peer.uri}", "wait established", "hold", "hold", "key example.org bob secret", "bye",
                           options=["--keep-going"])
    check(status == 1 and "wait established: call 1" in out, f"{status}:\n{out}")
    check("the peer is on hold already" in out, f"the second hold says nothing:\n{out}")
    check('bob answers challenges of realm "example.org"' in out and "secret" not in out, out)
    peer.wait_exit()
    free_port(env)


def free_port(env):
    """--listen ADDR:0 takes a port that is free, says it, and takes the same one again while a call is on it."""
    phone = env.phone(port=0, options=["--resume=auto"])
    phone.start()
    port = int(phone.seen("ready")[0]["listen"].rpartition(":")[2])
    check(1024 <= port <= 65535, f"port {port}")
    peer = env.sipp("peer_called.xml", address="127.0.0.3")
    phone.do(f"call {peer.uri}")
    phone.kill9()
    phone.start()
    phone.wait("call.resumed")
    check(phone.seen("ready")[0]["listen"].endswith(f":{port}"), f"another port: {phone.said()}")
    phone.do("bye")
    peer.wait_exit()
    phone.quit()
