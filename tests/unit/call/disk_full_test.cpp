// What a call does when its record cannot be stored.
#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

TEST_CASE("disk full: dialling abandons before anything is sent") {
    Story s = in(State::idle).on_with_full_disk(event::Dial{});
    CHECK(s.effects.empty());
    CHECK(s.call.state == State::idle);
}

TEST_CASE("disk full: answering and holding leave the call as it was") {
    CHECK(in(State::alerting).on_with_full_disk(event::Answer{}).call.state == State::alerting);
    const Story s = in(State::established).on_with_full_disk(event::Hold{});
    CHECK(s.effects.empty());
    CHECK(s.call.state == State::established);
    CHECK_FALSE(s.call.dialog.hold.local);
}

TEST_CASE("disk full: a 2xx is ACKed and ended with BYE") {
    Story s = in(State::inviting).on_with_full_disk(ok(2));
    CHECK(names_of(s.effects) == "Acknowledge SendBye CloseMedia Tell");
    CHECK(s.call.state == State::ending);
    s.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    s.on(event::Terminated{});
    CHECK(has<effect::Forget>(s.effects));
}

TEST_CASE("disk full: a peer's re-INVITE gets 500 and changes nothing") {
    const Dialog before = sample_call(State::established).dialog;
    Story s =
        in(State::established)
            .on_with_full_disk(event::Offered{
                .cseq = 9, .facts = peer_facts(), .offer = peer_session(Direction::sendonly)});
    CHECK(names_of(s.effects) == "Reply Tell");
    CHECK(first<effect::Reply>(s.effects)->status == 500);
    CHECK(s.call.dialog == before);
}

TEST_CASE("disk full: a call that comes in gets 500") {
    Story s{.call = new_call(Role::callee), .effects = {}, .status = {}};
    s.on_with_full_disk(event::Invited{.offer = peer_session()});
    CHECK(names_of(s.effects) == "Respond CloseMedia Tell");
    CHECK(first<effect::Respond>(s.effects)->status == 500);
    CHECK(s.call.state == State::over);
}

TEST_CASE("disk full: hanging up and coming back go on") {
    CHECK(has<effect::SendBye>(in(State::established).on_with_full_disk(event::HangUp{}).effects));
    CHECK(has<effect::Acknowledge>(in(State::resuming).on_with_full_disk(ok(5002)).effects));
}

TEST_CASE("disk full when a hold is tried again after 491: the call can be held later") {
    Story s = in(State::established).on(event::Hold{}).on(refusal(491, 4001)).on(event::Ready{});
    s.on_with_full_disk(event::RetryDue{});
    CHECK((s.call.state == State::established || has<effect::StartRetryTimer>(s.effects)));
}
