"""2,000 INVITEs in a second: no more calls ring than may, the rest hears 486, and leaves one line on the screen. Meanwhile the
live call is served and its audio flows; afterwards everything is as before. What rings ends by itself: 487 when the caller's
Expires is over, 480 when nobody has answered for long enough, counted over a kill."""

import os
import socket
import time

from lib import checks, story
from lib.questions import Questions
from lib.waiting import check, until

VARIANTS = ["burst", "burst_killed", "descriptors", "expires", "expires_killed", "no_answer"]
SLOW = True
FLOOD = 2000
MAY_RING = 64
WORK = 20  # times that of as many OPTIONS, which the library answers by itself
ASK_EVERY_S = 0.05


def run(env):
    how, _, killed = env.variant.partition("_")
    if how == "burst":
        burst(env, killed)
    elif how == "descriptors":
        descriptors(env)
    else:
        ends_by_itself(env, 480 if how == "no" else 487, killed == "killed")


def burst(env, killed):
    phone = env.phone(audio="tone:440", options=["--no-answer", 45], resume="auto").start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    env.capture.wait_rtp("from the phone", lambda r: r.source[0] == phone.address, 20)
    callers = Callers(phone)
    busy, questions = processor_s(phone), Questions(env, phone)
    began = flood(phone, callers)
    worked = processor_s(phone) - busy
    # With sanitizers more comes in than can be answered, and all wait in one queue.
    limit = questions.end(2.0 if env.sanitized else 0.2, f"{FLOOD} INVITEs")
    worst = served_in_turn(env, call_id, worked)
    check(worst < limit, f"the live call waited {worst:.2f} s for an answer, more than {limit:.2f} s")
    check(callers.count(180) == MAY_RING, f"{callers.count(180)} calls ring")
    check(callers.count(486) == FLOOD - MAY_RING, f"{callers.count(486)} of {FLOOD} were refused with 486")
    check(callers.retry_after, "a refusal without Retry-After")
    heard = phone.wait("calls.refused", 10)
    check(heard["count"] == FLOOD - MAY_RING, f"{heard['count']} refusals were told")
    check(len(phone.seen("calls.refused")) == 1, "one burst, one line")
    check(len(records(phone)) == MAY_RING + 1, f"{len(records(phone))} records")
    sent = len([r for r in env.capture.sync().read().rtp if r.source[0] == phone.address and began <= r.time <= began + 1])
    check(sent >= 25, f"{sent} of 50 RTP packets left in the second of the flood")
    if killed:
        phone.kill9()
        phone.start()
        phone.wait("call.resumed", 20, call=1)
        until(lambda: len(phone.seen("call.incoming")) == MAY_RING, 20, "all calls to ring again")
        check(callers.silent_or(180), "the restart said something new to who rings")
    # Nobody answers: each hears 480, once its time is over, and nothing of it is left.
    until(lambda: callers.count(480) == MAY_RING, 90, lambda: f"all that ring to hear 480; {callers.count(480)} have")
    until(lambda: len(records(phone)) == 1, 40, "the records of what rang to go")
    alone = options(phone)
    print(f"{FLOOD} OPTIONS: {alone:.2f} s of work")
    check(worked < WORK * alone, f"{worked:.2f} s of work for the flood, {alone:.2f} s for as many OPTIONS")
    story.use(env, phone)  # the peer's own CSeq has been overtaken
    new = Callers(phone, "127.0.0.6")
    new.invite(0)
    until(lambda: new.count(180) == 1, 5, "a call after the flood to ring")
    story.hang_up(env, phone, peer, "phone", call_id)
    checks.one_stream([r for r in checks.rtp_from(env.capture, phone)], pauses=bool(killed))
    phone.kill9()


def served_in_turn(env, call_id, worked):
    """Whatever the machine does: nobody who asked after the live call is answered before it. The longest that it waited."""
    came, told, waiting, waits, before = {}, set(), {}, [], []
    for message in env.capture.sync().messages():
        if message.method == "INVITE" and message.call_id.startswith("flood-"):
            if message.is_request:
                came.setdefault(message.call_id, len(came))
            elif message.status > 100:
                told.add(message.call_id)
        elif message.method == "INFO" and message.call_id == call_id and message.source[0] == "127.0.0.3":
            waiting[message.cseq] = (message.time, len(came))
        elif message.method == "INFO" and message.call_id == call_id and message.cseq in waiting:
            asked, place = waiting.pop(message.cseq)
            waits.append(message.time - asked)
            before.append(sum(came[one] >= place for one in told))
    check(not waiting and len(waits) > 20, f"{len(waits)} questions of the live call were answered, {len(waiting)} not")
    print(f"the live call's INFO was answered within {max(waits) * 1000:.0f} ms, half within "
          f"{sorted(waits)[len(waits) // 2] * 1000:.0f} ms; the phone has worked for {worked:.2f} s")
    check(not any(before), f"{max(before)} who came later were answered before the live call")
    return max(waits)


def options(phone):
    """The work of as many OPTIONS, one at a time: each wakes the phone up, as the INVITEs did."""
    busy = processor_s(phone)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind(("127.0.0.7", 5060))
        asker.settimeout(5)
        for i in range(FLOOD):
            asker.sendto((f"OPTIONS sip:alice@{phone.address} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.7:5060;branch=z9hG4bKo{i}\r\n"
                          f"Max-Forwards: 70\r\nFrom: <sip:o@127.0.0.7>;tag=o\r\nTo: <sip:alice@{phone.address}>\r\n"
                          f"Call-ID: o{i}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode(), (phone.address, phone.port))
            asker.recv(65536)
    return processor_s(phone) - busy


def flood(phone, callers):
    """All INVITEs in one second, while the live call asks. When it began."""
    asker = Asker(phone)
    began = time.time()
    sent = 0
    while time.time() < began + 3:
        due = min(FLOOD, int((time.time() - began) * FLOOD))
        while sent < due:
            callers.invite(sent)
            sent += 1
        asker.ask_if_due()
        callers.read()
        asker.read()
        time.sleep(0.001)  # the pace of the sending, no wait for anything
    until(lambda: asker.read() or not asker.waiting, 10, "every question to be answered")
    until(lambda: callers.count(180) + callers.count(486) == FLOOD, 30,
          lambda: f"every caller to hear something; {callers.count(180)} heard 180, {callers.count(486)} 486")
    return began


def descriptors(env):
    """With few descriptors left new calls are refused, and the live one goes on working."""
    phone = env.phone(options=["--max-calls", 1000], launcher=["prlimit", "--nofile=200"]).start()
    peer = env.sipp("peer_called.xml")
    call_id = story.called_peer(env, phone, peer)
    callers = Callers(phone)
    for i in range(150):
        callers.invite(i)
    until(lambda: callers.count(180) + callers.count(486) == 150, 20, "every caller to hear something")
    check(10 < callers.count(180) < 70, f"{callers.count(180)} calls ring with 200 descriptors")
    check("files" in phone.wait("calls.refused", 10)["reason"], "the reason")
    check(not phone.seen("error"), f"trouble: {phone.said()}")
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, "phone", call_id)
    phone.kill9()


def ends_by_itself(env, status, killed):
    phone = env.phone(options=["--no-answer", 5 if status == 480 else 60]).start()
    callers = Callers(phone)
    began = time.time()
    callers.invite(0, expires=5 if status == 487 else 60)
    phone.wait("call.incoming")
    if killed:
        phone.kill9()
        phone.start()
        phone.wait("call.incoming")
    until(lambda: callers.count(status), 15, lambda: f"{status}; the caller heard {sorted(callers.heard)}")
    after = time.time() - began
    check(4.5 < after < 10, f"it rang for {after:.1f} s")
    check(phone.wait("call.ended")["status"] == status, "what the user is told")
    callers.acknowledge(0, status)
    until(lambda: not records(phone), 5, "the record to go")
    phone.quit()


def processor_s(phone):
    with open(f"/proc/{phone.process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def records(phone):
    return [name for name in os.listdir(os.path.join(phone.state, "dialogs")) if name.endswith(".json")]


class Callers:
    """Many callers at one address, who send an INVITE each and acknowledge nothing but what the test says."""

    def __init__(self, phone, address="127.0.0.5"):
        self.to = (phone.address, phone.port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((address, 5060))
        self.socket.setblocking(False)
        self.address = address
        self.heard = {}  # status -> callers
        self.tags = {}
        self.retry_after = True

    def invite(self, i, expires=None):
        sdp = f"v=0\r\no=c 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\nm=audio 17000 RTP/AVP 0\r\n"
        self.send("INVITE", i, 1, "", "Content-Type: application/sdp\r\n" + (f"Expires: {expires}\r\n" if expires is not None else ""), sdp)

    def acknowledge(self, i, _status):
        self.send("ACK", i, 1, ";tag=" + self.tags[i])

    def send(self, method, i, cseq, to_tag, headers="", body=""):
        self.socket.sendto(
            (f"{method} sip:alice@{self.to[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:5060;branch=z9hG4bKflood{i}\r\n"
             f"Max-Forwards: 70\r\nFrom: <sip:c{i}@{self.address}>;tag=f{i}\r\nTo: <sip:alice@{self.to[0]}>{to_tag}\r\n"
             f"Call-ID: flood-{i}@{self.address}\r\nCSeq: {cseq} {method}\r\nContact: <sip:c@{self.address}:5060>\r\n"
             f"{headers}Content-Length: {len(body)}\r\n\r\n{body}").encode(), self.to)

    def read(self):
        while True:
            try:
                text = self.socket.recv(65536).decode("latin-1")
            except BlockingIOError:
                return
            if text.startswith("SIP/2.0 "):
                status = int(text[8:11])
                i = int(text.partition("\r\nCall-ID: flood-")[2].partition("@")[0])
                self.heard.setdefault(status, set()).add(i)
                self.tags[i] = text.partition("\r\nTo: ")[2].partition("\r\n")[0].partition(";tag=")[2]
                self.retry_after = self.retry_after and (status != 486 or "\r\nRetry-After: " in text)

    def count(self, status):
        self.read()
        return len(self.heard.get(status, ()))

    def silent_or(self, *statuses):
        self.read()
        ringing = self.heard.get(180, set())
        return all(not ringing & who for status, who in self.heard.items() if status not in statuses)


class Asker:
    """The other end of the live call, that sends INFO all the time."""

    def __init__(self, phone):
        self.record = phone.record(1)
        self.to = (phone.address, phone.port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.3", 5062))
        self.socket.setblocking(False)
        self.cseq = max(self.record["remote_cseq"], 1) + 1000
        self.next = 0.0
        self.waiting = set()

    def ask_if_due(self):
        now = time.time()
        if now < self.next:
            return
        self.next = now + ASK_EVERY_S
        self.cseq += 1
        self.waiting.add(self.cseq)
        record = self.record
        body = "x"
        self.socket.sendto(
            (f"INFO sip:alice@{self.to[0]} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:5062;branch=z9hG4bKask{self.cseq}\r\n"
             f"Max-Forwards: 70\r\nFrom: {record['remote_uri']};tag={record['remote_tag']}\r\n"
             f"To: {record['local_uri']};tag={record['local_tag']}\r\nCall-ID: {record['call_id']}\r\n"
             f"CSeq: {self.cseq} INFO\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode(), self.to)

    def read(self):
        while True:
            try:
                text = self.socket.recv(65536).decode("latin-1")
            except BlockingIOError:
                return
            self.waiting.discard(int(text.partition("\r\nCSeq: ")[2].split()[0]))
            check(text.startswith("SIP/2.0 200"), "the live call's INFO got " + text.splitlines()[0])
