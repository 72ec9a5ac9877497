"""Whatever the name servers do, the phone answers at once, neither spins nor floods, and calls by name are made, held,
resumed after a kill, and ended. Strangers cannot make it look up a name."""

import ctypes
import os
import random
import socket
import time

from lib import checks, story
from lib.nameserver import A, AAAA, SRV, NameServer, ResolvConf, route_to
from lib.questions import Questions
from lib.waiting import check, until

MODES = {  # what the name servers do, and which there are
    "answers": ["127.0.0.53"],
    "no_route": ["192.0.2.53"],
    "no_routes": ["192.0.2.53", "192.0.2.54", "192.0.2.55"],
    "closed": ["127.0.0.53"],
    "silent": ["127.0.0.53"],
    "slow": ["127.0.0.53"],
    "refuses": ["127.0.0.53", "127.0.0.54"],
    "fails": ["127.0.0.53", "127.0.0.54"],
    "denies": ["127.0.0.53"],
    "lies": ["127.0.0.53"],
}
VARIANTS = [f"{who}_{mode}" for mode in MODES for who in ("called", "calling")] + \
    ["strangers", "shorter", "route_lost", "no_descriptor", "stale", "families", "wildcard", "given_up", "repeated", "reasons"]
SLOW = ["called_silent", "called_lies", "called_slow", "calling_silent"]
IMPATIENT_S = 0.1  # beyond what the machine does to an echo (lib/questions.py)
TRIES = 3  # of one server for one question (src/sip/names/name_servers.cpp)
PEER = {("peer.example", A): ["127.0.0.2"]}


def run(env):
    who, _, mode = env.variant.partition("_")
    if who in ("called", "calling"):
        fails(env, who, mode)
    else:
        {"strangers": strangers, "shorter": shorter, "route_lost": route_lost, "no_descriptor": no_descriptor,
         "stale": stale, "families": families, "wildcard": wildcard, "given_up": given_up, "repeated": repeated,
         "reasons": reasons}[env.variant](env)


def cpu_s(phone):
    with open(f"/proc/{phone.process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(phone):
    return len(os.listdir(f"/proc/{phone.process.pid}/fd"))


def begin(env, who, servers):
    """A call with a peer whose Contact is a name."""
    conf = ResolvConf(env, *servers)
    phone = env.phone(audio="tone:440").start()
    if who == "called":
        peer = env.sipp("peer_called.xml", contact="peer.example")
        call_id = story.called_peer(env, phone, peer, "call sip:bob@peer.example")
    else:
        peer, call_id = story.calling_peer(env, phone, contact="peer.example")
    return conf, phone, peer, call_id


def fails(env, who, mode):
    """Our own requests in a live call, over a kill, and the end, all while the name servers fail."""
    servers = [NameServer(env, PEER, address=address) for address in ("127.0.0.53", "127.0.0.54")]
    conf, phone, peer, call_id = begin(env, who, ["127.0.0.53"])
    conf.write(*MODES[mode])
    for server in servers:
        server.set("answers" if mode.startswith("no_route") else mode)
        server.asked.clear()
    until(lambda: time.time() - env.capture.messages()[-1].time > 1.1, 5, "what is known of the name to be old")
    questions = Questions(env, phone)
    before, began, since = cpu_s(phone), time.monotonic(), time.time()
    phone.do("info 1 hello")
    story.hold(env, phone)
    story.unhold(env, phone)
    phone.send("call sip:nobody@nowhere.example")  # is looked up as long as it may take
    used, took = cpu_s(phone) - before, time.monotonic() - began
    questions.end(IMPATIENT_S, env.variant)
    check(used < 0.2 + 0.3 * took, f"{used:.2f} s of CPU in {took:.2f} s")
    story.kill_and_resume(env, phone, call_id)
    few_questions(env, phone, servers, since, each=TRIES if asks_again() and mode in ("lies", "refuses", "fails") else 1)
    for server in servers:
        server.set("answers")
        server.records[("new.example", A)] = ["127.0.0.2"]
    conf.write("127.0.0.53")
    began = time.monotonic()
    phone.send("options sip:bob@new.example:5099")
    phone.wait("options", 10, reason="port closed at 127.0.0.2:5099")
    check(time.monotonic() - began < 1, f"a new name took {time.monotonic() - began:.1f} s when all was well again")
    for server in servers:
        server.set("silent" if mode == "answers" else "answers" if mode.startswith("no_route") else mode)
    conf.write(*MODES[mode])
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id)
    phone.quit()


def asks_again():
    """Whether c-ares asks again at once after what is no answer, as often as it may try: 1.34 does, 1.18 does not."""
    version = ctypes.CDLL("libcares.so.2").ares_version
    version.restype = ctypes.c_char_p
    return tuple(map(int, version(None).split(b"."))) >= (1, 20)


def few_questions(env, phone, servers, since, each=1):
    """Nothing is asked of a server more often than there was a request that needed it: no answer is worth no second question."""
    requests = {(m.branch, m.method) for m in env.capture.sync().messages(lambda m: m.is_request and phone.from_here(m), since)}
    for server in servers:
        asked = list(server.asked)
        worst = max((asked.count(one) for one in asked), default=0)
        check(worst <= each * len(requests), f"{worst} questions for one name, {len(asked)} in all, for {len(requests)} requests")


def stranger_messages(name):
    """What strangers can say that has a name in it, and where."""
    def message(start, via, more=""):
        branch = f"z9hG4bK{random.random()}"
        method = start.split()[0]
        return (f"{start}\r\nVia: SIP/2.0/UDP {via};branch={branch}\r\nFrom: <sip:eve@{name}>;tag=e\r\n"
                f"To: <sip:alice@127.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:eve@{name}>\r\n{more}Content-Length: 0\r\n\r\n")
    return {
        "505": message("OPTIONS sip:alice@127.0.0.1 SIP/3.0", f"{name}:5060"),
        "505 with rport": message("OPTIONS sip:alice@127.0.0.1 SIP/3.0", f"{name};rport"),
        "200": message("OPTIONS sip:alice@127.0.0.1 SIP/2.0", f"{name}:5060"),
        "200 maddr": message("OPTIONS sip:alice@127.0.0.1 SIP/2.0", f"127.0.0.66:5060;maddr={name}"),
        "400": message("OPTIONS sip:alice@127.0.0.1 SIP/2.0", f"{name}:5060", "CSeq: nonsense\r\n"),
        "481": message("BYE sip:alice@127.0.0.1 SIP/2.0", f"{name}:5060"),
    }


def strangers(env):
    """Each gets its answer where it is, at once, and no name is looked up for it."""
    server = NameServer(env, {}, mode="silent")
    ResolvConf(env, server.address)
    phone = env.phone().start()
    here = (phone.address, phone.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as eve:
        eve.bind(("127.0.0.66", 5060))
        eve.settimeout(5)
        for what, text in stranger_messages("stranger.example").items():
            began = time.monotonic()
            eve.sendto(text.encode(), here)
            status = eve.recv(65536).split(b" ")[1].decode()
            check(what.startswith(status), f"{what}: {status}")
            check(time.monotonic() - began < 1, f"{what} took {time.monotonic() - began:.1f} s")
        refer = stranger_messages("stranger.example")["200"].replace("OPTIONS", "REFER").replace(
            "Max-Forwards", "Refer-To: <sip:eve@third.example>\r\nMax-Forwards")
        eve.sendto(refer.encode(), here)
        eve.recv(65536)
        for _ in range(50):
            eve.sendto(stranger_messages(f"s{random.random()}.example")["505"].encode(), here)
        for _ in range(50):
            eve.recv(65536)
    with socket.create_connection(here) as eve:  # 413, or no answer at all
        eve.sendall(stranger_messages("stranger.example")["200"].replace("Length: 0", "Length: 99999999").replace(
            "UDP", "TCP").encode())
        eve.settimeout(0.5)
        try:
            while eve.recv(65536):
                pass
        except (TimeoutError, ConnectionResetError):
            pass
    check(not server.asked, f"asked for strangers: {server.asked[:5]}")
    phone.quit()


def shorter(env):
    """resolv.conf goes from three servers to one while a question waits: it is asked of that one."""
    server = NameServer(env, {("late.example", A): ["127.0.0.2"]}, address="127.0.0.56")
    silent = [NameServer(env, {}, address=f"127.0.0.{n}", mode="silent") for n in (53, 54, 55)]
    conf = ResolvConf(env, *(s.address for s in silent))
    phone = env.phone().start()
    phone.send("options sip:bob@late.example:5099")
    until(lambda: silent[1].asked or silent[2].asked, 8, "a question to the second server")
    conf.write(server.address)
    phone.wait("options", 3, reason="port closed at 127.0.0.2:5099")
    phone.quit()


def route_lost(env):
    """The way to the name server is gone under an open socket, and is there again."""
    env.add_address("10.9.9.53")
    server = NameServer(env, PEER, address="10.9.9.53")
    conf, phone, peer, call_id = begin(env, "called", [server.address])
    del conf
    route_to("10.9.9.53", False)
    until(lambda: time.time() - env.capture.messages()[-1].time > 1.1, 5, "what is known of the name to be old")
    questions = Questions(env, phone)
    phone.do("info 1 hello")
    story.hold(env, phone)
    questions.end(IMPATIENT_S, env.variant)
    route_to("10.9.9.53", True)
    server.records[("new.example", A)] = ["127.0.0.2"]
    began = time.monotonic()
    phone.send("options sip:bob@new.example:5099")
    phone.wait("options", 3, reason="port closed at 127.0.0.2:5099")
    check(time.monotonic() - began < 1, "slow although the way is there again")
    story.hang_up(env, phone, peer, "phone", call_id)
    phone.quit()


def no_descriptor(env):
    """With no descriptor left a name fails, and nothing else does."""
    import resource
    server = NameServer(env, {("new.example", A): ["127.0.0.2"], ("known.example", A): ["127.0.0.2"]})
    conf = ResolvConf(env, server.address)
    phone, peer = env.phone().start(), env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    # All of it once, well and in vain: a sanitizer looks at a type that it has not met by means of a pipe.
    phone.send("options sip:bob@known.example:5099")
    phone.wait("options", 3, reason="port closed at 127.0.0.2:5099")
    server.set("refuses")
    phone.fails("options sip:bob@first.example:5099", 12)
    server.set("answers")
    phone.do("sleep 1")  # what is due later, too
    usual = resource.prlimit(phone.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(phone.process.pid, resource.RLIMIT_NOFILE, (descriptors(phone), usual[1]))
    conf.write(server.address)  # and the file, which cannot be opened now, is another than before
    questions = Questions(env, phone)
    event = phone.fails("options sip:bob@new.example:5099", 12)
    check("new.example" in event["text"], f"it does not say which name: {event}")
    questions.end(IMPATIENT_S, env.variant)
    resource.prlimit(phone.process.pid, resource.RLIMIT_NOFILE, usual)
    phone.send("options sip:bob@new.example:5099")
    phone.wait("options", 3, reason="port closed at 127.0.0.2:5099")
    story.hang_up(env, phone, peer, "phone", call_id)
    phone.quit()


def stale(env):
    """What was known of a name serves on when no server answers; and no descriptors are left behind."""
    server = NameServer(env, PEER)
    ResolvConf(env, server.address)
    phone = env.phone().start()
    phone.send("options sip:bob@peer.example:5099")
    phone.wait("options", 3, reason="port closed at 127.0.0.2:5099")
    before = descriptors(phone)
    server.set("closed")
    for n in range(3):
        phone.send("options sip:bob@peer.example:5099")
        phone.wait("options", 5, reason="port closed at 127.0.0.2:5099")
        event = phone.fails(f"options sip:bob@new{n}.example")
        check("no name server answers" in event["text"], f"{event}")
    server.set("answers")
    event = phone.fails("options sip:bob@nobody.example")
    check("no such host 'nobody.example'" in event["text"], f"{event}")
    until(lambda: descriptors(phone) <= before, 5, lambda: f"{descriptors(phone)} descriptors, {before} before")
    phone.quit()


def families(env):
    """A name with an IPv6 address only is called from the second listener, which is IPv6."""
    server = NameServer(env, {("six.example", AAAA): ["::1"]})
    ResolvConf(env, server.address)
    phone = env.phone(options=["--listen", "[::1]:5062"]).start()
    peer = env.sipp("peer_called.xml", address="::1", port=5060)
    phone.do("call sip:bob@six.example")
    phone.do("bye 1")
    peer.wait_exit()
    phone.quit()


def wildcard(env):
    """A service's name is called from a phone that listens on all addresses."""
    server = NameServer(env, {("_sip._udp.example.org", SRV): [(1, 1, 5070, "sip.example.org")],
                              ("sip.example.org", A): ["127.0.0.2"]})
    ResolvConf(env, server.address)
    phone = env.phone()
    phone.base[phone.base.index("--listen") + 1] = "0.0.0.0:5060"
    phone.start()
    peer = env.sipp("peer_called.xml", port=5070)
    phone.do("call sip:bob@example.org")
    check(phone.record()["local_sip"]["address"] == "127.0.0.1", f"{phone.record()['local_sip']}")
    phone.do("bye 1")
    peer.wait_exit()
    phone.quit()


def given_up(env):
    """A call whose name is being looked up can be canceled; it ends by itself otherwise."""
    server = NameServer(env, {}, mode="silent")
    ResolvConf(env, server.address)
    phone = env.phone().start()
    phone.send("call sip:bob@peer.example")
    until(lambda: server.asked, 5, "a question")
    phone.send("cancel")
    event = phone.wait("error", command="call sip:bob@peer.example")
    check("canceled" in event["text"], f"{event}")
    phone.wait("ok", command="cancel")
    event = phone.fails("call sip:bob@other.example", 12)
    check("no name server answers" in event["text"], f"{event}")
    check(phone.seen("call.failed", source="local"), "no call.failed")
    phone.quit()


def repeated(env):
    """An INVITE that is repeated after a kill goes to where the first went, although its name leads elsewhere now."""
    server = NameServer(env, {("peer.example", A): ["127.0.0.2"]})
    ResolvConf(env, server.address)
    phone = env.phone().start()
    env.sipp("rings.xml")
    phone.send("call sip:bob@peer.example")
    phone.wait("call.progress", status=180)
    check(phone.record()["in_flight"]["sent_to"] == {"address": "127.0.0.2", "port": 5060}, f"{phone.record()['in_flight']}")
    phone.kill9()
    server.records[("peer.example", A)] = ["127.0.0.3"]
    phone.start()
    again = env.capture.wait("the INVITE again", lambda m: m.method == "INVITE" and phone.from_here(m), 10, since=phone.killed_at)
    check(again.destination[0] == "127.0.0.2", f"it went to {again.destination}")
    phone.send("cancel 1")
    phone.wait("call.ended|call.failed", 10)
    phone.quit()


def reasons(env):
    """What has failed here is told from what the other end says, and says what it is."""
    server = NameServer(env, {})
    ResolvConf(env, server.address)
    phone = env.phone().start()
    for target, why in (("127.0.0.2:5099", "port closed at 127.0.0.2:5099"), ("203.0.113.7", "no route to 203.0.113.7:5060"),
                        ("127.0.0.2:5099;transport=tcp", "port closed at 127.0.0.2:5099"), ("bob", "no such host 'bob'")):
        event = phone.fails(f"call sip:bob@{target}")
        check(why in event["text"] or "no listening address" in event["text"], f"{target}: {event}")
        event = phone.fails(f"options sip:bob@{target}")
        check(why in event["text"], f"{target}: {event}")
        check(phone.seen("options", source="local", reason=why), f"no such event: {phone.said()}")
    check(phone.seen("call.failed", source="local", reason="port closed at 127.0.0.2:5099"), phone.said())
    peer = env.sipp("busy.xml")
    phone.fails(f"call {peer.uri}")
    check(phone.seen("call.failed", source="peer", status=486), phone.said())
    peer.wait_exit()
    phone.quit()
