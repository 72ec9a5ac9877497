"""A digit in an INFO is shown as one, in both forms that phones use; what is none is shown as it came."""

from lib.far import Far
from lib.waiting import check


def run(env):
    phone = env.phone().start(extra=["--auto-answer"])
    far = Far(env, "m=audio 7000 RTP/AVP 0\r\n")
    far.invite(phone)
    phone.wait("call.established")
    for cseq, (kind, body, digit) in enumerate((("dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"), ("dtmf", "11", "#"),
                                                ("dtmf-relay", "Signal=none\r\n", None)), 10):
        far.request(phone, "INFO", cseq, f"Content-Type: application/{kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        event = phone.wait("call.info")
        check(event.get("digit") == digit, f"{event}")
        check((f"digit {digit}" in event["text"]) == (digit is not None), f"{event}")
        env.capture.wait("the 200", lambda m, n=cseq: m.method == "INFO" and m.status == 200 and m.cseq == n)
    phone.send("bye 1")
    phone.wait("call.ended", by="local")
    phone.quit()
