// What is stored of a call that comes back, and when.
#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

// The record as the last life left it: the peer's answer to the re-INVITE is stored.
Dialog resumed_once() {
    Story s = revived(sample_call(State::established));
    s.on(event::Restore{.resume = true}).on(event::Ready{}).on(ok(5002));
    return s.call.dialog;
}

Story asks_again(const Dialog& record) {
    Story s{.call = revive(record, 3, our_codecs()), .effects = {}, .status = {}};
    return s.on(event::Restore{.resume = true}).on(event::Ready{});
}

} // namespace

TEST_CASE("an answer that changes nothing is stored when the peers do not wait for it") {
    const Dialog record = resumed_once();
    Story s = asks_again(record);
    const event::Answered answer = ok(s.call.cseq_base + 2);
    s.on(answer);
    CHECK(names_of(s.effects) == "PersistSoon Acknowledge RunMedia Tell Settle");
    SUBCASE("then it is") {
        const Dialog now = s.call.dialog;
        s.on(event::Quiet{});
        CHECK(names_of(s.effects) == "Persist");
        CHECK(s.call.dialog == now);
        CHECK(s.on(event::Quiet{}).effects.empty());
    }
    SUBCASE("a kill before that, and the next life begins above what was sent") {
        CHECK(revive(record, 4, our_codecs()).cseq_base > answer.cseq);
    }
    SUBCASE("a call that is being hung up has its record already") {
        s.on(event::HangUp{});
        CHECK(has<effect::Persist>(s.effects));
        CHECK(s.on(event::Quiet{}).effects.empty());
    }
}

TEST_CASE("an answer that changes anything else is stored before it is acknowledged") {
    Dialog record = resumed_once();
    SUBCASE("the target") {
        record.remote_target = "sip:bob@198.51.100.9";
    }
    SUBCASE("where it comes from") {
        record.remote_sip.port = 5099;
    }
    SUBCASE("the description") {
        record.remote_sdp += "a=x\r\n";
    }
    SUBCASE("the session timer") {
        record.timer.interval_s = 90;
    }
    SUBCASE("an offer that was in flight") {
        record.in_flight.reoffer = true;
    }
    SUBCASE("an answer of ours that the peer had not acknowledged") {
        record.role = Role::callee;
        record.in_flight.invite = "INVITE";
        record.in_flight.cseq = 1;
    }
    Story s = asks_again(record);
    s.on(ok(s.call.cseq_base + 2));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
    CHECK(s.call.dialog.in_flight == InFlight{});
    CHECK(s.on(event::Quiet{}).effects.empty());
}

TEST_CASE("numbers for more requests are reserved before the ACK") {
    Story s = asks_again(resumed_once());
    s.on(ok(s.call.dialog.cseq_watermark - 1));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
}

TEST_CASE("the peer's own offer, accepted after a restart, brings the call back as ours would") {
    for (const State state : {State::restored, State::retrying}) {
        Story s = in(state).on(event::Offered{.cseq = 9, .offer = peer_session()});
        CHECK(s.call.state == State::established);
        CHECK(has<effect::Lift>(s.effects));
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
    }
}

TEST_CASE("a 2xx that nobody can read is acknowledged, and the call ended with BYE") {
    for (const State state : {State::resuming, State::established, State::modifying}) {
        Story s = in(state).on(event::Answered{.cseq = 5002, .answer = RemoteSession{}});
        CHECK(first<effect::AcknowledgeAgain>(s.effects)->cseq == 5002);
        CHECK(stored_before<effect::AcknowledgeAgain>(s.effects));
        CHECK(s.call.state == State::restoring);
        s.on(event::Ready{});
        CHECK(has<effect::SendBye>(s.effects));
        CHECK(s.call.state == State::ending);
    }
}
