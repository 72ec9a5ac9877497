"""Files that hold a call are for their owner only, and a password is in no log, no record and no event."""

import os
import stat

from lib import story
from lib.waiting import check

VARIANTS = ["modes", "password", "open_credentials"]
PASSWORD = "s3cr3t-p4ssw0rd"


def run(env):
    {"modes": modes, "password": password, "open_credentials": open_credentials}[env.variant](env)


def credentials(env, mode):
    path = env.path("credentials")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode), "w", encoding="ascii") as file:
        file.write(f"test:alice:{PASSWORD}\n")
    return path


def modes(env):
    os.umask(0)
    phone = env.phone().start()
    peer = env.sipp("peer_called.xml")
    story.called_peer(env, phone, peer)
    for directory, _, files in os.walk(phone.state):
        mode = stat.S_IMODE(os.stat(directory).st_mode)
        check(mode == 0o700, f"{directory} has mode {mode:o}")
        for name in files:
            mode = stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode)
            check(mode == 0o600, f"{name} has mode {mode:o}")
    phone.quit()


def password(env):
    phone = env.phone(options=["--credentials", credentials(env, 0o600)]).start()
    peer = env.sipp("challenges.xml")
    story.called_peer(env, phone, peer)
    challenged = env.capture.wait("an INVITE with an answer to the challenge",
                                  lambda m: m.method == "INVITE" and m.is_request and m.get("authorization"))
    check('username="alice"' in challenged.get("authorization"), f"Authorization: {challenged.get('authorization')}")
    phone.send(f"key elsewhere alice {PASSWORD}")
    phone.wait("ok", command="")  # a command with a secret in it is not repeated
    with open(f"/proc/{phone.process.pid}/cmdline", "rb") as arguments:
        check(PASSWORD.encode() not in arguments.read(), "the password is in argv")
    phone.quit()
    for directory, _, files in os.walk(phone.state):
        for name in files:
            with open(os.path.join(directory, name), "rb") as file:
                check(PASSWORD.encode() not in file.read(), f"the password is in {name}")
    check(not [e for e in phone.events if PASSWORD in str(e)], "the password is in an event")
    for packet in env.capture.sync().datagrams:
        check(PASSWORD.encode() not in packet.payload, "the password went over the wire")


def open_credentials(env):
    path = credentials(env, 0o644)
    os.chmod(path, 0o644)
    status, _, output = env.phone(options=["--credentials", path]).run("-c", "calls")
    check(status in (1, 2), f"credentials that everybody can read were taken (status {status}):\n{output}")
    check("credentials" in output and PASSWORD not in output, f"says too little or too much:\n{output}")
