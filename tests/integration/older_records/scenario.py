"""A phone that is replaced by this version while it has calls: the records are of an older schema, and every call goes on, in
its dialog and its stream. What is stored from then on is this version's."""

import json

from lib import checks, story
from lib.waiting import check, until

SCHEMA = 3
VARIANTS = ["schema_1_established", "schema_2_established", "schema_2_held", "schema_2_tcp", "schema_2_rings"]


def run(env):
    _, schema, what = env.variant.split("_")
    {"established": established, "held": held, "tcp": tcp, "rings": rings}[what](env, int(schema))


def as_of_schema(schema, phone):
    """What the older version would have stored of the same call."""
    record = phone.record()
    check(record["schema"] == SCHEMA, f"the phone writes schema {record['schema']}")
    record["schema"] = schema
    del record["account"], record["media"]["segment"]["clock_rate"]
    if schema == 1:
        del record["in_flight"]["canceled"], record["in_flight"]["status"]
        record["in_flight"]["branch"] = "z9hG4bK7Qr0tDgHc1jSm"
    with open(phone.record_path(1), "w", encoding="utf-8") as file:
        json.dump(record, file)


def replaced(phone, schema, back="call.restored"):
    phone.kill9()
    as_of_schema(schema, phone)
    phone.start()
    phone.wait(back, call=1)


def written_anew(phone):
    until(lambda: phone.record()["schema"] == SCHEMA, 5, "the record to be this version's")
    record = phone.record()
    check(record["account"] == "" and record["media"]["segment"]["clock_rate"] == 8000, f"it says otherwise: {record}")


def established(env, schema):
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    replaced(phone, schema)
    story.reinvite(phone)
    checks.same_refresh(env.capture, phone, phone.killed_at, call_id)
    story.acked(env, phone.killed_at)
    written_anew(phone)
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)
    phone.quit()


def held(env, schema):
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    phone.do("hold 1")
    story.settled(phone, 1)
    replaced(phone, schema)
    story.reinvite(phone)
    story.acked(env, phone.killed_at)
    written_anew(phone)
    check(phone.record()["hold"]["local"], "it is not held any more")
    phone.do("unhold 1")
    story.hang_up(env, phone, peer, "peer", call_id)
    checks.one_dialog(env.capture, phone, call_id=call_id)
    phone.quit()


def tcp(env, schema):
    env.pair("192.0.2.1", "192.0.2.2")
    phone = env.phone(address="192.0.2.2", transport="tcp").start()
    peer = env.baresip(transport="tcp")
    peer.command("dial", phone.uri)
    story.answer(phone)
    replaced(phone, schema)
    story.reinvite(phone)
    written_anew(phone)
    check(phone.record()["transport"] == "tcp", f"it is over {phone.record()['transport']}")
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    sent = checks.one_dialog(env.capture, phone, bye_asked=True)
    check({m.transport for m in sent} == {"tcp"}, f"not all over TCP: {[str(m) for m in sent if m.transport != 'tcp']}")
    phone.quit()


def rings(env, schema):
    """It rings on, and is answered."""
    phone = env.phone(audio="tone:440").start()
    peer = env.sipp("peer_calling.xml", remote=f"{phone.address}:{phone.port}", keys={"phone": f"{phone.address}:{phone.port}"})
    phone.wait("call.incoming", call=1)
    invite = env.capture.wait("the 180", lambda m: m.status == 180 and phone.from_here(m))
    replaced(phone, schema, back="call.incoming")
    phone.send("answer 1")
    phone.wait("call.established", 8, call=1)
    story.settled(phone, 1)
    written_anew(phone)
    story.hang_up(env, phone, peer, "phone", invite.call_id)
    checks.one_dialog(env.capture, phone, bye_asked=True)
    phone.quit()
