// Ringing and unacknowledged calls, after a restart.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

event::Offered stored_invite() {
    return {.cseq = 1, .facts = peer_facts(), .offer = peer_session()};
}

} // namespace

TEST_CASE(
    "a ringing call of an earlier version, which stored too little of it, is said to be lost") {
    for (const Phase phase : {Phase::inviting, Phase::ringing}) {
        Dialog record = new_call(Role::callee).dialog;
        record.phase = phase;
        record.in_flight = {};
        Story s{.call = revive(record, 2, our_codecs()), .effects = {}, .status = {}};
        s.on(event::Restore{.resume = true});
        CHECK(s.call.state == State::over);
        CHECK(names_of(s.effects) == "Settle Forget CloseMedia");
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::lost);
    }
}

// ---- Ringing and unacknowledged calls, after a restart ----

TEST_CASE(
    "a ringing caller sends the same INVITE again, with neither the peer's tag nor a new CSeq") {
    Call call = sample_call(State::proceeding);
    call.dialog.remote_tag = "from-180";
    Story s = revived(call).on(event::Restore{});
    CHECK(s.call.state == State::inviting);
    CHECK(names_of(s.effects) == "RepeatInvite Tell");
    CHECK(s.call.dialog.remote_tag.empty());
    CHECK(s.call.dialog.in_flight.cseq == call.dialog.in_flight.cseq);
    s.on(ok(2));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
    CHECK(s.call.state == State::established);
}

TEST_CASE("a call that was being canceled is canceled again") {
    Story s = revived(in(State::proceeding).on(event::HangUp{}).call).on(event::Restore{});
    CHECK(s.call.state == State::canceling);
    CHECK(names_of(s.effects) == "RepeatInvite SendCancel Tell");
}

TEST_CASE("before a refusal is acknowledged, the record says which INVITE comes next, or goes") {
    for (const std::uint16_t status : std::vector<std::uint16_t>{401, 407, 422}) {
        Story s = in(State::inviting).on(event::Refused{.status = status, .cseq = 2});
        CHECK(names_of(s.effects) == "Persist");
        CHECK(s.call.dialog.in_flight.cseq == 3);
        s = in(State::inviting).on(event::Refused{.status = status, .cseq = 2, .next_cseq = 5});
        CHECK(s.call.dialog.in_flight.cseq == 5); // a PRACK had another
    }
    for (const std::uint16_t status : std::vector<std::uint16_t>{302, 404, 486, 487, 503, 603}) {
        Story s = in(State::proceeding).on(event::Refused{.status = status, .cseq = 2});
        CHECK(names_of(s.effects) == "Forget");
    }
    Story s = in(State::canceling).on(event::Refused{.status = 401, .cseq = 2});
    CHECK(names_of(s.effects) == "Forget"); // nobody wants it repeated
    s = in(State::modifying).on(event::Refused{.status = 491, .cseq = 4001});
    CHECK(s.effects.empty()); // the dialog lives on
}

TEST_CASE("an answer without a tag makes no call") {
    event::Answered answered = ok(2);
    answered.facts.remote_tag.clear();
    Story s = in(State::inviting).on(answered);
    CHECK(names_of(s.effects) == "Forget Acknowledge SendBye CloseMedia Tell");
    CHECK(s.call.state == State::ending);
}

TEST_CASE("what rings here rings on: 180, and the user's answer as if nothing had happened") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{.resume = true});
    CHECK(names_of(s.effects) == "Restore");
    s.on(event::Ready{});
    CHECK(names_of(s.effects) == "Replay");
    s.on(stored_invite());
    CHECK(names_of(s.effects) == "Respond Tell Settle");
    CHECK(first<effect::Respond>(s.effects)->status == 180);
    s.on(event::Answer{});
    CHECK(names_of(s.effects) == "Persist Respond RunMedia");
}

TEST_CASE("what rings here over a connection that is gone is lost, and no record of it stays") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{.can_hear_caller = false});
    CHECK(names_of(s.effects) == "Settle Forget CloseMedia");
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::lost);
    CHECK(first<effect::Settle>(s.effects)->reason.find("connection") != std::string::npos);
}

TEST_CASE("an answer that was not acknowledged is given again, and nothing else") {
    Call call = sample_call(State::answering);
    call.dialog.boot.established_ms = sample_now.boot_ms() - 31'000;
    Story s = revived(call).on(event::Restore{}).on(event::Ready{}).on(stored_invite());
    CHECK(names_of(s.effects) == "Respond RunMedia");
    CHECK(s.call.dialog.local_sdp == call.dialog.local_sdp);
    s.on(event::Ready{});
    CHECK(s.call.state == State::established);
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
}

TEST_CASE(
    "an answer is not repeated when the peer is as sure as it will be, nor to a lost connection") {
    Call call = sample_call(State::answering);
    event::Restore restore;
    SUBCASE("after 32 s") {
        call.dialog.boot.established_ms = sample_now.boot_ms() - 33'000;
    }
    SUBCASE("its connection is gone") {
        call.dialog.boot.established_ms = sample_now.boot_ms() - 10;
        restore.can_hear_caller = false;
    }
    Story s = revived(call).on(restore).on(event::Ready{});
    CHECK(s.call.state == State::restored);
    CHECK_FALSE(has<effect::AcknowledgeAgain>(s.effects)); // there was no 2xx to us
}

TEST_CASE("a refusal that was not acknowledged is given again, and does not ring") {
    Story s = revived(in(State::alerting).on(event::Decline{.status = 603}).call);
    s.on(event::Restore{}).on(event::Ready{}).on(stored_invite());
    CHECK(names_of(s.effects) == "Respond");
    CHECK(first<effect::Respond>(s.effects)->status == 603);
    s.on(event::Ready{});
    CHECK(names_of(s.effects) == "Forget CloseMedia Settle");
}

TEST_CASE("hanging up a call that is just coming back to ring refuses it") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{}).on(event::HangUp{});
    s.on(event::Ready{}).on(stored_invite());
    CHECK(first<effect::Respond>(s.effects)->status == 486);
}

TEST_CASE("the record says canceled before the caller hears 200 to its CANCEL") {
    Story s = in(State::alerting).on(event::Cancelled{});
    CHECK(names_of(s.effects) == "Persist Tell");
    CHECK(s.call.dialog.in_flight.status == 487);
    s.on(event::Cancelled{}); // the stack's own word, later
    CHECK(s.effects.empty());
    s.on(event::Terminated{.status = 487});
    CHECK(s.call.state == State::over);
}

TEST_CASE("a 2xx whose ACK may not have left is acknowledged before anything else is sent") {
    Story first_life = in(State::inviting).on(ok(2));
    SUBCASE("a kill right then") {
        Story s = revived(first_life.call).on(event::Restore{.resume = true}).on(event::Ready{});
        CHECK(names_of(s.effects).starts_with("AcknowledgeAgain RunMedia Arm"));
        CHECK(first<effect::AcknowledgeAgain>(s.effects)->cseq == 2);
    }
    SUBCASE("a kill later") {
        first_life.on(event::Ready{});
        CHECK(names_of(first_life.effects) == "PersistSoon");
        first_life.on(event::Quiet{});
        CHECK(names_of(first_life.effects) == "Persist");
        Story s = revived(first_life.call).on(event::Restore{.resume = true}).on(event::Ready{});
        CHECK_FALSE(has<effect::AcknowledgeAgain>(s.effects));
    }
}

TEST_CASE("a 2xx to an INVITE of an earlier life is acknowledged, in every state") {
    for (const State state : all_states) {
        Story s = in(state).on(event::AnsweredBefore{.cseq = 77});
        const bool exists = state != State::idle && state != State::over;
        CHECK(names_of(s.effects) == (exists ? "AcknowledgeAgain" : ""));
        CHECK(s.call.state == state);
    }
}
