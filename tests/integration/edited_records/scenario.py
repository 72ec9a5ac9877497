"""Records that somebody or something has changed: each is named with what is wrong with it, none is deleted, and the
call beside them comes back."""

import json
import os

from lib import checks, story
from lib.waiting import check, until

VARIANTS = ["damaged", "newer", "swapped", "same_call_id", "no_sdp", "foreign_address", "tls"]


def run(env):
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    phone.kill9()
    good = read(phone.record_path(1))
    left, look = {"damaged": damaged, "newer": newer, "swapped": swapped, "same_call_id": same_call_id, "no_sdp": no_sdp,
            "foreign_address": foreign_address, "tls": tls}[env.variant](phone, good)
    phone.start()
    look()
    phone.wait("call.restored", call=1)
    left_behind(phone, left, "after the start")
    phone.send("reinvite 1")
    phone.wait("call.resumed", 10, call=1)
    checks.same_refresh(env.capture, phone, phone.killed_at, call_id)
    phone.do("info 1 hello")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True, call_id=call_id)
    phone.send("detach")
    phone.wait_exit()
    left_behind(phone, left, "after detach")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def write(phone, number, text):
    data = text if isinstance(text, bytes) else text.encode()
    path = phone.record_path(number)
    with open(path, "wb") as file:
        file.write(data)
    return data


def changed(good, number, **members):
    """Another call's record: the good one with other members; None takes one out."""
    record = {**json.loads(good), "number": number, "call_id": f"another-{number}", **members}
    return json.dumps({key: value for key, value in record.items() if value is not None})


def left_behind(phone, left, when):
    """number -> content, whatever name the phone has given the file. Those that it may write again are left out."""
    dialogs = os.path.dirname(phone.record_path(1))
    found = {}
    for name in os.listdir(dialogs):
        path = os.path.join(dialogs, name)
        if os.path.isfile(path) and not name.endswith(".tmp"):
            with open(path, "rb") as file:
                found.setdefault(name.split(".")[0], []).append(file.read())
    for number, data in left.items():
        check(data in found.get(str(number), []), f"{when} the content of {number}.json is gone; there is {sorted(os.listdir(dialogs))}")


def rejected(phone, number, *words):
    """The notice that names the file."""
    def said():
        return next((e for e in phone.seen("journal.rejected") if f"/{number}.json" in e["text"]), None)
    event = until(said, 5, lambda: f"{number}.json to be named\n" + phone.said())
    for word in words:
        check(word in event["text"], f"{number}.json: does not say {word!r}: {event['text']}")


def damaged(phone, good):
    whole = changed(good, 9)
    texts = {
        2: whole[:len(whole) // 2], 3: "", 4: "not JSON", 5: "[1,2,3]", 6: changed(good, 6, epoch="three"),
        7: changed(good, 7, cseq_watermark=-1), 8: changed(good, 8, remote_target="sip:bob@x\r\nBYE"),
        9: changed(good, 9, remote_uri="x" * 200_000), 10: changed(good, 10, resumes=1.5), 11: changed(good, 11, phase="dancing"),
        12: changed(good, 12, media=None), 13: whole.encode()[:200] + b"\0\xff\xfe" + whole.encode()[200:],
        14: changed(good, 14) + "{}", 15: "[" * 100_000, 16: changed(good, 16, started_ms=2 ** 70),
        17: "x" * 1_100_000, 18: changed(good, 19)}
    left = {number: write(phone, number, text) for number, text in texts.items()}
    os.mkfifo(phone.record_path(30))
    os.mkdir(phone.record_path(31))
    os.symlink("1.json", phone.record_path(32))
    def named():
        for number in [*texts, 30, 31, 32]:
            rejected(phone, number)
        check(not phone.seen("call.restored", call=2), "a call came back from half a record")
        for number in (30, 31, 32):
            check(os.path.lexists(phone.record_path(number)), f"{number}.json is gone")
    return left, named


def newer(phone, good):
    """As an older program finds it after a newer one: not its to read, to write or to remove, and the number is taken."""
    left = {2: write(phone, 2, changed(good, 2, schema=4, news={"a": [1, 2]}))}
    return left, lambda: rejected(phone, 2, "newer", "stays")


def swapped(phone, good):
    """2.json holds call 3 and 3.json call 2: neither is believed, both are kept."""
    left = {2: write(phone, 2, changed(good, 3)), 3: write(phone, 3, changed(good, 2))}
    return left, lambda: (rejected(phone, 2, "call 3"), rejected(phone, 3, "call 2"))


def same_call_id(phone, good):
    """A copy of the record under another number does not keep the call from coming back under its own."""
    write(phone, 2, changed(good, 2, call_id=json.loads(good)["call_id"]))
    return {}, lambda: None


def no_sdp(phone, good):
    """Nobody can make a call of it; it is said, and the record stays."""
    write(phone, 2, changed(good, 2, remote_sdp="v=0\r\nnonsense\r\n", local_sdp="m=m=m="))
    def said():
        event = phone.wait("call.lost|call.restored", 10, call=2)
        check(event["event"] == "call.lost", f"a call without SDP came back: {event}")
        check(os.path.exists(phone.record_path(2)), "its record is gone")
    return {}, said


def foreign_address(phone, good):
    """The call was made from an address that this machine does not have (any more)."""
    record = json.loads(good)
    media = {**record["media"], "local": {"address": "198.51.100.7", "port": 20100}}
    write(phone, 2, changed(good, 2, local_sip={"address": "198.51.100.7", "port": 5060}, media=media))
    def said():
        event = phone.wait("call.lost|call.restored", 10, call=2)
        check(event["event"] == "call.lost", f"it came back: {event}")
        check("198.51.100.7" in event["text"], f"does not name the address: {event['text']}")
        check(os.path.exists(phone.record_path(2)), "its record is gone")
    return {}, said


def tls(phone, good):
    """Nothing here speaks TLS: the call is not taken for one over UDP."""
    text = changed(good, 2, transport="tls", remote_target="sips:bob@127.0.0.2:5061", account="work")
    left = {2: write(phone, 2, text)}
    def said():
        event = phone.wait("call.lost|call.restored", 10, call=2)
        check(event["event"] == "call.lost", f"it came back: {event}")
        check("TLS" in event["text"], f"does not name TLS: {event['text']}")
    return left, said
