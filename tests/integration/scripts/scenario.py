"""A script is a promise about the exit status: 0 all commands succeeded, 1 one failed, 2 usage, 3 a call was lost on
resume. -c and -f run in order, each command after the one before has finished."""

import json

from lib import story
from lib.waiting import check

VARIANTS = ["succeeds", "fails", "usage", "lost", "file", "detached"]


def run(env):
    {"succeeds": succeeds, "fails": fails, "usage": usage, "lost": lost, "file": file, "detached": detached}[env.variant](env)


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
    refusal = expect(phone.run("--codecs", "PCMA,G729", "-c", "calls"), 1)
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


def detached(env):
    """detach leaves the call alive, quit says BYE: the one is the other's opposite."""
    phone = env.phone()
    peer = env.sipp("peer_called.xml")
    expect(phone.run(*commands(f"call {peer.uri}", "wait established 1 5", "detach"), deadline_s=15), 0)
    check(not env.capture.messages(lambda m: m.method == "BYE"), "detach said BYE")
    expect(phone.run(*commands("reinvite all", "info 1 hello", "quit"), deadline_s=15), 0)
    peer.wait_exit()
    env.capture.wait("the BYE of quit", lambda m: m.method == "BYE" and phone.from_here(m))
