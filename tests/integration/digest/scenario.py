"""Requests that are asked for credentials have the right ones (RFC 7616, RFC 8760): the strongest algorithm of several, for a
server and a proxy at once, each count once, over a SIGKILL too; and wrong ones are not said again and again."""

import hashlib
import os
import re

from lib import story
from lib.far_end import FarEnd
from lib.waiting import check

VARIANTS = ["algorithms", "proxy_first", "both_at_once", "wrong", "new_nonce", "next_nonce", "unknown", "outside", "overlapping", "many_realms", "killed"]
REALM, USER, PASSWORD = 'my "realm" \\ x', "alice", "se:cr\"e t:"
HASHES = {"MD5": lambda text: hashlib.md5(text.encode()).hexdigest(),
          "SHA-256": lambda text: hashlib.sha256(text.encode()).hexdigest()}


def quoted(text):
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def asks(nonce, realm=REALM, algorithm="MD5", proxy=False, more=""):
    name = "Proxy" if proxy else "WWW"
    return (f"{name}-Authenticate: Digest realm={quoted(realm)}, nonce=\"{nonce}\", algorithm={algorithm}, opaque=\"o/{nonce}\", "
            f"qop=\"auth,auth-int\"{more}\r\n")


def credentials_in(request, proxy=False):
    """Each header field's parameters; they have the right response."""
    found = []
    for value in request.all("proxy-authorization" if proxy else "authorization"):
        check(value.startswith("Digest "), f"the scheme of {value}")
        said = {m[1]: re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3]
                for m in re.finditer(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))', value)}
        check(all(f"{name}=\"" not in value for name in ("qop", "nc", "algorithm", "stale")), f"a token in quotes: {value}")
        check(said["uri"] == request.uri, f"uri {said['uri']} in a request to {request.uri}")
        check(said["opaque"] == f"o/{said['nonce']}", f"another opaque: {value}")
        check(re.fullmatch("[0-9a-f]{8}", said["nc"]) and said["qop"] == "auth", f"nc and qop in {value}")
        digest = HASHES[said["algorithm"]]
        secret = digest(f"{USER}:{said['realm']}:{PASSWORD}")
        right = digest(":".join([secret, said["nonce"], said["nc"], said["cnonce"], said["qop"],
                                 digest(f"{request.method}:{said['uri']}")]))
        found.append({**said, "count": int(said["nc"], 16), "is_right": said["response"] == right})
    return found


def only(request, nonce, count, proxy=False):
    found = credentials_in(request, proxy)
    check([(one["nonce"], one["count"], one["is_right"]) for one in found] == [(nonce, count, True)],
          f"credentials for {nonce}, count {count}, were wanted: {found}")
    return found[0]


def run(env):
    path = env.path("credentials")
    password = "wrong" if env.variant == "wrong" else PASSWORD
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(f":{USER}:{PASSWORD}\n" if env.variant == "many_realms" else f"{REALM}:{USER}:{password}\nproxy.example:{USER}:{PASSWORD}\n")
    phone = env.phone(options=["--credentials", path]).start()
    globals()[env.variant](env, phone, FarEnd(env))
    phone.quit()


def refuse(peer, request, status, more):
    peer.answer(request, status, more=more)
    if request.method == "INVITE":
        peer.take("ACK")


def accept(phone, peer, invite, more="", number=1):
    peer.answer(invite, 200, sdp=True, more=more)
    phone.wait("call.established")
    peer.take("ACK")
    story.settled(phone, number)


def ends(phone, peer, number=1):
    phone.send(f"bye {number}")
    bye = peer.take("BYE")
    peer.answer(bye, 200)
    phone.wait("call.ended")
    return bye


def algorithms(_env, phone, peer):
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401,
           f"WWW-Authenticate: Basic realm={quoted(REALM)}\r\n" + asks("n0", algorithm="AKAv1-MD5") + asks("n1")
           + asks("n2", algorithm="SHA-256") + "WWW-Authenticate: Negotiate abc=\r\n" + asks("n3", algorithm="SHA-1"))
    invite = peer.take("INVITE")
    said = only(invite, "n2", 1)
    check(said["realm"] == REALM and said["algorithm"] == "SHA-256", f"the answer: {said}")
    accept(phone, peer, invite)
    phone.send("info 1 hello")
    info = peer.take("INFO")
    only(info, "n2", 2)
    peer.answer(info, 200)
    only(ends(phone, peer), "n2", 3)


def proxy_first(_env, phone, peer):
    """Who has asked first gets its answer in the third INVITE too."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 407, asks("p1", "proxy.example", proxy=True))
    second = peer.take("INVITE")
    only(second, "p1", 1, proxy=True)
    refuse(peer, second, 401, asks("s1", algorithm="SHA-256"))
    third = peer.take("INVITE")
    only(third, "p1", 2, proxy=True)
    only(third, "s1", 1)
    accept(phone, peer, third)
    ends(phone, peer)


def both_at_once(_env, phone, peer):
    """Of a forked request; for one of the realms there are no credentials (RFC 3261 section 22.3)."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("s1") + asks("p1", "proxy.example", proxy=True) + asks("x", "elsewhere"))
    invite = peer.take("INVITE")
    only(invite, "p1", 1, proxy=True)
    only(invite, "s1", 1)
    accept(phone, peer, invite)
    ends(phone, peer)


def wrong(_env, phone, peer):
    """Said once, and told; with the right ones the next call goes through."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("n1"))
    second = peer.take("INVITE")
    check(not credentials_in(second)[0]["is_right"], "the wrong password is right")
    refuse(peer, second, 401, asks("n2"))
    told = phone.wait("call.failed", call=1)
    check(told["reason"] == f"credentials for realm \"{REALM}\" refused", f"what is told: {told}")
    peer.read(0.5)
    check(not [m for m in peer.came if m.method == "INVITE"], "a third INVITE")
    phone.send(f"key '{PASSWORD}'")
    check(phone.wait("credentials.kept")["realm"] == REALM, "the key is for another realm than was asked last")
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("n3"))
    invite = peer.take("INVITE")
    only(invite, "n3", 1)
    accept(phone, peer, invite, number=2)
    only(ends(phone, peer, number=2), "n3", 2)


def new_nonce(_env, phone, peer):
    """Without stale, as many servers do it: made anew, once; with stale as well."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("n1"))
    invite = peer.take("INVITE")
    only(invite, "n1", 1)
    accept(phone, peer, invite)
    phone.send("hold 1")
    hold = peer.take("INVITE")
    only(hold, "n1", 2)
    refuse(peer, hold, 401, asks("n2"))
    again = peer.take("INVITE")
    only(again, "n2", 1)
    refuse(peer, again, 401, asks("n3", more=", stale=true"))
    third = peer.take("INVITE")
    only(third, "n3", 1)
    peer.answer(third, 200, sdp=True)
    peer.take("ACK")
    phone.wait("call.held")
    only(ends(phone, peer), "n3", 2)


def next_nonce(_env, phone, peer):
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("n1"))
    accept(phone, peer, peer.take("INVITE"), more="Authentication-Info: nextnonce=\"n2\"\r\n")
    phone.send("info 1 hello")
    info = peer.take("INFO")
    check([(one["nonce"], one["count"]) for one in [only_parameters(info)]] == [("n2", 1)], "the next nonce is used")
    peer.answer(info, 401, more=asks("n3"))
    again = peer.take("INFO")
    only(again, "n3", 1)
    peer.answer(again, 200)
    ends(phone, peer)


def only_parameters(request):
    value = request.get("authorization")
    return {"nonce": re.search('nonce="([^"]*)"', value)[1], "count": int(re.search("nc=([0-9a-f]{8})", value)[1], 16)}


def unknown(_env, phone, peer):
    """Nothing that can be answered: the call ends, and says why."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, f"WWW-Authenticate: Basic realm={quoted(REALM)}\r\n" + asks("n", algorithm="SHA-1"))
    told = phone.wait("call.failed", call=1)
    check("Digest" in told["reason"], f"what is told: {told}")


def outside(_env, phone, peer):
    """OPTIONS outside of calls."""
    phone.send(f"options {peer.uri}")
    peer.answer(peer.take("OPTIONS"), 401, more=asks("n1", algorithm="SHA-256"))
    again = peer.take("OPTIONS")
    only(again, "n1", 1)
    peer.answer(again, 200)


def many_realms(_env, phone, peer):
    """With a key that fits any: eight are answered, or every request would be longer than the one before."""
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, "".join(asks(f"n{n}", f"r{n}") for n in range(12)))
    invite = peer.take("INVITE")
    found = credentials_in(invite)
    check(len({one["realm"] for one in found}) == len(found) == 8 and all(one["is_right"] for one in found), f"{found}")
    refuse(peer, invite, 401, "".join(asks(f"n{n}", f"r{n}") for n in range(12, 24)))
    phone.wait("call.failed")


def overlapping(_env, phone, peer):
    """Several requests at a time, each asked: a hold, a message and the BYE."""
    phone.send(f"call {peer.uri}")
    accept(phone, peer, peer.take("INVITE"))
    phone.send("hold 1")
    hold = peer.take("INVITE")
    phone.send("info 1 hello")
    info = peer.take("INFO")
    refuse(peer, hold, 401, asks("n1"))
    again = peer.take("INVITE")
    only(again, "n1", 1)
    phone.send("bye 1")
    bye = peer.take("BYE")
    peer.answer(bye, 401, more=asks("n2"))
    peer.answer(peer.take("BYE"), 200)
    phone.wait("call.ended")
    peer.answer(info, 481)


def killed(_env, phone, peer):
    phone.send(f"call {peer.uri}")
    refuse(peer, peer.take("INVITE"), 401, asks("n1"))
    invite = peer.take("INVITE")
    first = only(invite, "n1", 1)
    accept(phone, peer, invite)
    phone.kill9()
    phone.start()
    phone.wait("call.restored")
    phone.send("reinvite")
    refuse(peer, peer.take("INVITE"), 401, asks("n1"))
    again = peer.take("INVITE")
    check(only(again, "n1", 2)["cnonce"] == first["cnonce"], "the client nonce is another one")
    peer.answer(again, 200, sdp=True)
    phone.wait("call.resumed")
    peer.take("ACK")
    only(ends(phone, peer), "n1", 3)
