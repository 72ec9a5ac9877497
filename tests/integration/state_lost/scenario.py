"""The state directory goes away under a running phone, or is read-only when it comes back: what needs to be stored is
refused and says why, the peer hears nothing of it, and the calls that there are go on."""

import os
import subprocess

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["read_only_restart", "records_removed", "directory_removed", "moved", "two_kept_phones"]


def run(env):
    if env.variant == "two_kept_phones":
        two_kept_phones(env)
        return
    disk = env.path("disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", disk], check=True)
    phone = env.phone(state=os.path.join(disk, "state"), audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    {"read_only_restart": read_only_restart, "records_removed": records_removed,
     "directory_removed": directory_removed, "moved": moved}[env.variant](env, phone, peer, call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id)
    phone.quit()


def invites(env, phone):
    return len(env.capture.sync().messages(lambda m: m.method == "INVITE" and m.is_request and phone.from_here(m)))


def remount(phone, how):
    subprocess.run(["mount", "-o", f"remount,{how}", os.path.dirname(phone.state)], check=True)


def refuses(env, phone, command, *words):
    before = invites(env, phone)
    text = phone.fails(command)["text"]
    for word in words:
        check(word.lower() in text.lower(), f"{command!r} does not say {word!r}: {text}")
    check(invites(env, phone) == before, f"{command!r} went to the peer without a record")


def read_only_restart(env, phone, peer, call_id):
    phone.kill9()
    with open(phone.record_path(), "rb") as file:
        record = file.read()
    remount(phone, "ro")
    status, _, output = phone.run("-c", "calls")
    check(status == 1, f"exit status {status} on a read-only disk:\n{output}")
    check("read-only" in output.lower() and phone.state in output, f"does not say what is read-only:\n{output}")
    with open(phone.record_path(), "rb") as file:
        check(file.read() == record, "the record was changed")
    remount(phone, "rw")
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)


def records_removed(env, phone, peer, call_id):
    """The record of a live call is deleted by hand: the next change stores it again."""
    os.remove(phone.record_path())
    story.hold(env, phone)
    check(phone.record()["hold"]["local"], "the hold was not stored")
    story.unhold(env, phone)
    story.kill_and_resume(env, phone, call_id)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)


def directory_removed(env, phone, peer, call_id):
    subprocess.run(["rm", "-r", phone.state], check=True)
    refuses(env, phone, "hold 1", "dialogs")
    refuses(env, phone, "call sip:carol@127.0.0.3", "dialogs")
    phone.do("info 1 hello")  # what needs no record goes on
    peer.cue("INFO", call_id)
    phone.wait("call.info")
    story.hang_up(env, phone, peer, "phone", call_id)


def moved(env, phone, peer, call_id):
    """Somebody renames the directory: the phone holds it open, and stores under the new name."""
    elsewhere = phone.state + ".moved"
    os.rename(phone.state, elsewhere)
    story.hold(env, phone)
    story.unhold(env, phone)
    phone.kill9()
    os.rename(elsewhere, phone.state)
    phone.start()
    phone.wait("call.restored")
    story.reinvite(phone)
    story.hang_up(env, phone, peer, "phone", call_id)


def two_kept_phones(env):
    """The second phone under a keeper ends with the reason and is not started for ever."""
    keeper = [os.path.join(os.path.dirname(env.binary), "revenant-keeper"), "--burst", "0", "--"]
    first = env.phone(audio="tone:440", resume="auto", launcher=keeper).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, first, peer)
    second = env.phone(name="second", port=5070, state=first.state, resume="auto", launcher=keeper)
    status, _, output = second.run(deadline_s=5)
    check(status == 1, f"the second ended with {status}:\n{output}")
    with open(os.path.join(first.state, "lock"), encoding="ascii") as file:
        owner = file.read().strip()
    check(owner in output and first.state in output, f"does not say who has it ({owner}):\n{output}")
    before = len(first.seen("ledger"))
    os.kill(int(owner), 9)
    until(lambda: len(first.seen("ledger")) > before, 10, "the first to come back")
    story.hang_up(env, first, peer, "phone", call_id)
    first.quit()
