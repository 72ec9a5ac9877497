// Our offers, and the requests of ours that they must not overtake.
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant::call;

namespace {

Call after(const Call& call, const Event& event) {
    return step(call, event, sample_now).call;
}

event::RequestDone done(std::string method, std::uint16_t status = 200) {
    return {.method = std::move(method), .status = status, .reason = "OK", .cseq = 4001};
}

// `hold` was typed while an INFO had no answer.
Call waiting_hold() {
    return after(after(sample_call(State::established), event::SendInfo{}), event::Hold{});
}

} // namespace

TEST_CASE("an offer waits until every request before it is answered") {
    Call call = after(sample_call(State::established), event::SendInfo{});
    call = after(call, event::SendOptions{});
    const Step held = step(call, event::Hold{}, sample_now);
    CHECK(names_of(held.effects) == "Persist"); // a restart makes it
    CHECK(held.call.state == State::modifying);

    const Step one = step(held.call, done("INFO"), sample_now);
    CHECK(names_of(one.effects) == "Tell");
    const Step both = step(one.call, done("OPTIONS"), sample_now);
    CHECK(names_of(both.effects) == "Tell Reoffer");
    CHECK(both.call.state == State::modifying);
    CHECK(both.call.dialog.local_sdp.find("a=sendonly") != std::string::npos);
}

TEST_CASE("an offer waits for a PRACK as well") {
    Call call = sample_call(State::established);
    call = after(
        call,
        event::Progress{
            .status = 183, .remote_tag = "peer-tag", .rseq = 9, .prack_cseq = 4000, .cseq = 3999});
    const Step held = step(call, event::Hold{}, sample_now);
    CHECK_FALSE(has<effect::Reoffer>(held.effects));
    CHECK(has<effect::Reoffer>(step(held.call, done("PRACK"), sample_now).effects));
}

TEST_CASE("a challenge that is answered with credentials is no answer") {
    const event::Challenged challenge{.cseq = 4001, .have_credentials = true, .method = "INFO"};
    const Step asked = step(waiting_hold(), challenge, sample_now);
    CHECK(names_of(asked.effects) == "Authenticate");
    const Step answered = step(asked.call, done("INFO"), sample_now);
    CHECK(has<effect::Reoffer>(answered.effects));
    CHECK(answered.call.last_status == 0); // the challenge says nothing of the offer
}

TEST_CASE("an answer that no offer waits for asks for none") {
    const Call call = after(sample_call(State::established), event::SendInfo{});
    CHECK(names_of(step(call, done("INFO"), sample_now).effects) == "Tell");
    // And one that is none of ours makes nothing overtake.
    const Step hold =
        step(after(sample_call(State::established), done("INFO")), event::Hold{}, sample_now);
    CHECK(names_of(hold.effects) == "Persist Reoffer");
}

TEST_CASE("a call that ends meanwhile offers nothing any more") {
    const Step refused = step(waiting_hold(), done("INFO", 481), sample_now);
    CHECK(has<effect::SendBye>(refused.effects));
    CHECK_FALSE(has<effect::Reoffer>(refused.effects));

    const Call ending = after(waiting_hold(), event::HangUp{});
    CHECK_FALSE(has<effect::Reoffer>(step(ending, done("INFO"), sample_now).effects));
}

TEST_CASE("what the stack's own refresh is answered with is no answer to the offer that waits") {
    const event::Answered accepted{.cseq = 4001, .facts = peer_facts(), .answer = peer_session()};
    const event::Failed refused{.status = 503, .reason = "Busy", .cseq = 4001};
    for (const Event& answer : {Event{accepted}, Event{refused}}) {
        Call call = after(waiting_hold(), answer);
        call = after(call, event::Ready{});
        CHECK(call.state == State::modifying);
        CHECK(call.dialog.hold.local);
        CHECK(call.dialog.in_flight.reoffer);
        const Step answered = step(call, done("INFO"), sample_now);
        CHECK(has<effect::Reoffer>(answered.effects));
        CHECK(answered.call.last_status == 0);
    }
}

TEST_CASE("a refresh that the user asks for waits, too") {
    Call call = after(sample_call(State::established), event::SendInfo{});
    const Step asked = step(call, event::Resume{}, sample_now);
    CHECK(asked.call.state == State::modifying);
    CHECK(asked.effects.empty());
    CHECK(names_of(step(asked.call, done("INFO"), sample_now).effects) == "Tell Reoffer");
}
