"""What cannot be started says why, names the thing that is in the way, and ends with a status that a script can use."""

import socket

from lib.waiting import check

VARIANTS = ["state_owned", "port_in_use", "not_our_address", "bad_uri", "unreachable", "state_unwritable"]


def run(env):
    {"state_owned": state_owned, "port_in_use": port_in_use, "not_our_address": not_our_address, "bad_uri": bad_uri,
     "unreachable": unreachable, "state_unwritable": state_unwritable}[env.variant](env)


def says(result, *words, statuses=(1, 2)):
    status, _, output = result
    check(status in statuses, f"exit status {status}, not {statuses}:\n{output}")
    for word in words:
        check(word.lower() in output.lower(), f"does not say {word!r}:\n{output}")


def state_owned(env):
    first = env.phone().start()
    second = env.phone(name="second", port=5070, state=first.state)
    says(second.run("-c", "calls"), str(first.process.pid), "state")
    first.do("calls")
    first.quit()
    status, _, output = second.run("-c", "calls")  # and once the owner is gone it is free
    check(status == 0, f"exit status {status} with a free directory:\n{output}")


def port_in_use(env):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 5060))
        says(env.phone().run("-c", "calls"), "127.0.0.1:5060", "another program")


def not_our_address(env):
    says(env.phone(address="198.51.100.7").run("-c", "calls"), "198.51.100.7")


def bad_uri(env):
    says(env.phone().run("-c", "call not a uri at all:::"), statuses=(1,))
    says(env.phone(name="bad_aor", user="@@ sip::").run("-c", "calls"), statuses=(2,))


def unreachable(env):
    """Nobody listens there: the call fails at once with a reason, and leaves no record."""
    phone = env.phone()
    status, events, output = phone.run("-c", "call sip:bob@127.0.0.2:5999", "-c", "wait established 1 10", deadline_s=15)
    check(status == 1, f"exit status {status}:\n{output}")
    check([e for e in events if e.get("event") == "call.failed"], f"no call.failed:\n{output}")


def state_unwritable(env):
    says(env.phone(state="/proc/nothing/here").run("-c", "calls"), "/proc/nothing")
