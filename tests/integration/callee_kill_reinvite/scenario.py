"""A call that we answered outlives SIGKILL, with our tag in To at first and in From ever after."""

from lib import checks, story

VARIANTS = ["bye_by_phone", "bye_by_peer"]


def run(env):
    who = env.variant.removeprefix("bye_by_")
    phone = env.phone(audio="tone:440").start()
    peer, call_id = story.calling_peer(env, phone)
    phone.do("info 1 before")

    story.kill_and_resume(env, phone)
    env.capture.wait_rtp("after the kill", lambda r: r.source[0] == phone.address, 20, since=phone.killed_at)
    checks.one_stream(checks.rtp_from(env.capture, phone))
    story.use(env, phone, peer, call_id)
    story.hang_up(env, phone, peer, who, call_id)

    checks.one_dialog(env.capture, phone, bye_asked=who == "phone")
    checks.one_stream(checks.rtp_from(env.capture, phone), pauses=True)
    phone.quit()
