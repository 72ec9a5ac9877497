// How long a call rings here, and what the caller hears then.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

namespace revenant::call {

namespace {

base::Now after_s(std::int64_t seconds) {
    base::Now now = sample_now;
    now.boot_ns += seconds * 1'000'000'000;
    now.real_ns += seconds * 1'000'000'000;
    return now;
}

Step invited(std::optional<std::uint32_t> expires_s, std::uint32_t no_answer_s) {
    Call call = new_call(Role::callee);
    call.dialog.in_flight.invite = "INVITE sip:alice@192.0.2.10 SIP/2.0\r\n\r\n";
    call.reception.no_answer_s = no_answer_s;
    const event::Invited event{.offer = peer_session(), .expires_s = expires_s};
    return step(call, event, sample_now);
}

std::string effects_of(const Step& step) {
    std::string all;
    for (const Effect& effect : step.effects) {
        all += (all.empty() ? "" : " ") + text_of(effect);
    }
    return all;
}

std::string timer_of(const Step& step) {
    for (const Effect& effect : step.effects) {
        if (std::holds_alternative<effect::StartRingTimer>(effect)) {
            return text_of(effect);
        }
    }
    return "none";
}

// The record of a call that rings, in the next life, when its INVITE has come in again.
Step replayed(const Call& ringing, base::Now now) {
    const Step back = step(revive(ringing.dialog, 2, our_codecs()), event::Restore{}, now);
    const Step ready = step(back.call, event::Ready{}, now);
    return step(ready.call,
                event::Offered{.cseq = 1, .facts = peer_facts(), .offer = peer_session()}, now);
}

} // namespace

TEST_CASE("a call rings as long as its caller says, or as long as we want if that is less") {
    const Step theirs = invited(30, 180);
    CHECK(timer_of(theirs) == "StartRingTimer(30000 ms)");
    CHECK(effects_of(step(theirs.call, event::RingDue{}, after_s(30))) ==
          "Persist(go_on) Respond(487) Tell(ended 487 \"no answer\")");
    for (const auto expires_s : {std::optional<std::uint32_t>{}, {180}, {3600}}) {
        const Step ours = invited(expires_s, 180);
        CHECK(timer_of(ours) == "StartRingTimer(180000 ms)");
        CHECK(effects_of(step(ours.call, event::RingDue{}, after_s(180))) ==
              "Persist(go_on) Respond(480) Tell(ended 480 \"no answer\")");
    }
}

TEST_CASE("a call that is to ring for ever has no timer, unless its caller says so") {
    CHECK(timer_of(invited({}, 0)) == "none");
    CHECK(step(invited({}, 0).call, event::RingDue{}, after_s(100'000)).call.state ==
          State::alerting);
    CHECK(timer_of(invited(30, 0)) == "StartRingTimer(30000 ms)");
}

TEST_CASE("any number in Expires is taken") {
    CHECK(timer_of(invited(0, 180)) == "StartRingTimer(0 ms)");
    const Step longest = invited(std::numeric_limits<std::uint32_t>::max(), 0);
    CHECK(timer_of(longest) == "StartRingTimer(86400000 ms)");
    CHECK(effects_of(step(longest.call, event::RingDue{}, after_s(86'400))) ==
          "StartRingTimer(86400000 ms)");
}

TEST_CASE("a timer that comes early is set again for the rest") {
    CHECK(effects_of(step(invited(30, 180).call, event::RingDue{}, after_s(20))) ==
          "StartRingTimer(10000 ms)");
}

TEST_CASE("a step of the wall clock ends no ringing") {
    base::Now now = after_s(1);
    now.real_ns += 3'600'000'000'000;
    CHECK(effects_of(step(invited(30, 180).call, event::RingDue{}, now)) ==
          "StartRingTimer(29000 ms)");
}

TEST_CASE("the next life lets it ring for the rest only") {
    const Step again = replayed(invited(30, 180).call, after_s(12));
    CHECK(again.call.state == State::alerting);
    CHECK(timer_of(again) == "StartRingTimer(18000 ms)");
}

TEST_CASE("what has rung long enough while there was no process is refused, and rings no more") {
    const Step again = replayed(invited(30, 180).call, after_s(31));
    CHECK(again.call.state == State::refusing);
    CHECK(effects_of(again).starts_with("Persist(go_on) Respond(487) Tell"));
    CHECK(effects_of(again).find("Settle(finished") != std::string::npos);
}

TEST_CASE("a call that is answered or over rings no more, and its timer means nothing") {
    const Step answered = step(invited(30, 180).call, event::Answer{}, after_s(10));
    for (const Call& call : {answered.call, step(answered.call, event::Ready{}, after_s(11)).call,
                             step(invited(30, 180).call, event::Decline{}, after_s(10)).call}) {
        const Step due = step(call, event::RingDue{}, after_s(30));
        CHECK(due.call.state == call.state);
        CHECK(due.effects.empty());
    }
}

} // namespace revenant::call
