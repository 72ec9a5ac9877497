// What becomes of a call that comes in when the user is not asked.
#include <cstdint>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant::call;

namespace {

Step invited(std::uint16_t auto_answer) {
    Call call = new_call(Role::callee);
    call.reception.auto_answer = auto_answer;
    return step(call, event::Invited{.offer = peer_session()}, sample_now);
}

} // namespace

TEST_CASE("a call that is answered by itself is stored before the 200, and rings at no time") {
    const Step answered = invited(200);
    CHECK(answered.call.state == State::answering);
    CHECK(names_of(answered.effects) == "Tell Persist Respond RunMedia");
    // The peer waits: what cannot be stored is refused.
    CHECK(first<effect::Persist>(answered.effects)->otherwise == effect::Otherwise::report);
    CHECK(first<effect::Respond>(answered.effects)->status == 200);
}

TEST_CASE("a call that is declined by itself is not stored") {
    const Step declined = invited(486);
    CHECK(declined.call.state == State::refusing);
    CHECK(names_of(declined.effects) == "Tell Respond Tell");
    CHECK(first<effect::Respond>(declined.effects)->status == 486);
}

TEST_CASE("what the user answers is not said when it cannot be stored") {
    const Step answered = step(invited(0).call, event::Answer{}, sample_now);
    CHECK(first<effect::Persist>(answered.effects)->otherwise == effect::Otherwise::abandon);
}
