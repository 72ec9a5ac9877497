"""Under the keeper the sockets outlive the phone: it is started again at once, the call goes on by itself, and what the
peer sends meanwhile is neither refused (no ICMP) nor lost: it is read when the dialogs are rebuilt. A phone that dies young
and brings its call back each time is not waited for; a keeper that is killed leaves it fully working."""

import os
import signal
import time

from lib import checks, story
from lib.process import alive
from lib.waiting import check, until

VARIANTS = ["twenty_kills", "bye_while_dead", "upgrade", "dies_young", "keeper_killed"]
ROUNDS = 20


def owner(phone):
    with open(os.path.join(phone.state, "lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def no_icmp(env, phone):
    refused = [p for p in env.capture.sync().datagrams if p.transport == "icmp" and p.source[0] == phone.address]
    check(not refused, f"{len(refused)} ICMP messages: the peer was told that a port is closed")


def kills(env, phone):
    for n in range(ROUNDS):
        os.kill(owner(phone), signal.SIGKILL)
        entry = phone.wait("ledger", 10)
        check(entry["verdict"] == "survived", f"kill {n}: {entry}")
        env.capture.wait_rtp("after it", lambda r: r.source[0] == phone.address, 10, since=entry["(seen)"])
    ours = checks.rtp_from(env.capture, phone)
    print(f"{checks.one_stream(ours)} RTP packets missing after {ROUNDS} kills, longest gap {checks.longest_gap_ms(ours):.0f} ms")
    no_icmp(env, phone)


def upgrade(env, phone):
    """The program is changed under the call: `upgrade` leaves, the keeper starts what is there now."""
    before = owner(phone)
    phone.send("upgrade")
    phone.wait("call.resumed", 10)
    check(owner(phone) != before, "the same process goes on")
    no_icmp(env, phone)


def bye_while_dead(env, phone, peer, call_id):
    """The keeper is stopped, so that the phone stays dead until the BYE is in its socket."""
    phone.process.freeze()
    os.kill(owner(phone), signal.SIGKILL)
    peer.cue("BYE", call_id)
    env.capture.wait("the BYE that nobody hears yet", lambda m: m.method == "BYE" and phone.to_here(m))
    phone.process.thaw()
    phone.wait("call.ended", by="remote")
    answer = env.capture.wait("its answer", lambda m: m.method == "BYE" and m.status and phone.from_here(m))
    check(answer.status == 200, f"the BYE got {answer.status}")
    until(lambda: not os.path.exists(phone.record_path()), 2, "the record to be removed")
    no_icmp(env, phone)
    peer.wait_exit()


def dies_young(env, phone):
    """Each life less than a second long, and in service: the wait for the next stays below a second."""
    for n in range(10):
        killed_at = time.time()
        os.kill(owner(phone), signal.SIGKILL)
        ready = phone.wait("ready", 5)
        check(ready["(seen)"] - killed_at < 1, f"death {n}: back after {ready['(seen)'] - killed_at:.2f} s")
        phone.wait("ledger", 10, verdict="survived")
        phone.do("calls")  # which comes after READY
    no_icmp(env, phone)


def keeper_killed(env, phone, peer, call_id):
    pid = owner(phone)
    phone.process.kill9()
    phone.wait("keeper.gone")
    for command in ("drill", "upgrade"):
        check("nobody would start the phone again" in phone.fails(command)["text"], command)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 100, since=time.time())
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    second = env.sipp("peer_called.xml", address="127.0.0.3")
    story.called_peer(env, phone, second)
    check(owner(phone) == pid, "another process goes on")
    phone.send("quit")
    second.wait_exit()
    until(lambda: not alive(pid), 5, "the phone to end")


def run(env):
    keeper = os.path.join(os.path.dirname(env.binary), "revenant-keeper")
    patience = ["--burst", "0"] if env.variant == "twenty_kills" else []  # with a phone that dies young
    phone = env.phone(audio="tone:440", resume="auto", launcher=[keeper, *patience, "--"]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    if env.variant == "bye_while_dead":
        bye_while_dead(env, phone, peer, call_id)
    elif env.variant == "keeper_killed":
        keeper_killed(env, phone, peer, call_id)
        return
    else:
        {"twenty_kills": kills, "upgrade": upgrade, "dies_young": dies_young}[env.variant](env, phone)
        story.use(env, phone, peer, call_id)
        story.hang_up(env, phone, peer, "phone", call_id)
        checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
