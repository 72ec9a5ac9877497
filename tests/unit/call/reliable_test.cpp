// Reliable provisional responses (RFC 3262) over a restart.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

const std::string prack_text = "PRACK sip:alice@192.0.2.10:5060 SIP/2.0\r\n\r\n";

struct Story {
    Call call;
    std::vector<Effect> effects = {}; // of the last step

    Story& on(const Event& event) {
        Step result = step(call, event, sample_now);
        CHECK(check(result.call) == "");
        call = std::move(result.call);
        effects = std::move(result.effects);
        return *this;
    }

    // The next start of the program.
    Story& killed() {
        call = revive(call.dialog, call.dialog.epoch + 1, our_codecs());
        return on(event::Restore{});
    }
};

event::Progress rings(std::uint32_t rseq, std::uint32_t prack_cseq, std::string tag = "peer-tag") {
    return {.status = 180,
            .reason = "Ringing",
            .remote_tag = std::move(tag),
            .rseq = rseq,
            .prack_cseq = prack_cseq};
}

event::RequestDone prack_answer(std::uint16_t status, std::uint32_t cseq) {
    return {.method = "PRACK", .status = status, .reason = "x", .cseq = cseq};
}

std::string pracks(const std::vector<Effect>& effects) {
    const auto* prack = first<effect::SendPrack>(effects);
    return prack != nullptr ? fmt::format("{} {}", prack->rseq, prack->cseq) : "";
}

Story ringing_caller() {
    return Story{.call = sample_call(State::inviting)}.on(rings(77, 3));
}

Story replaying(Story story, bool reliable) {
    story.killed().on(event::Ready{});
    return story.on(
        event::Offered{.reliable = reliable, .facts = peer_facts(), .offer = peer_session()});
}

} // namespace

TEST_CASE("a PRACK is stored before it is sent") {
    Story s = ringing_caller();
    CHECK(names_of(s.effects) == "Tell Persist SendPrack");
    CHECK(pracks(s.effects) == "77 3");
    CHECK(names_of(s.on(event::Progress{.status = 180, .remote_tag = "peer-tag"}).effects) ==
          "Tell"); // an unreliable one
}

TEST_CASE("a PRACK without an answer is said again as the same request") {
    Story s = ringing_caller().killed().on(rings(77, 1003));
    CHECK(pracks(s.effects) == "77 3");
    CHECK(first<effect::Persist>(s.effects) == nullptr);
    s.on(rings(78, 1004));
    CHECK(pracks(s.effects) == "78 1004");
    CHECK(first<effect::Persist>(s.effects) != nullptr);
}

TEST_CASE("a PRACK that was answered is not said again") {
    for (const std::uint16_t status : std::vector<std::uint16_t>{200, 481}) {
        Story s = ringing_caller().on(prack_answer(status, 3));
        CHECK(names_of(s.effects) == "Persist");
        CHECK(pracks(s.killed().on(rings(77, 1003)).effects).empty());
        CHECK(pracks(s.on(rings(77, 1004, "another-tag")).effects) == "77 1004"); // a fork
    }
}

TEST_CASE("a PRACK that nobody has answered counts as not answered") {
    for (const auto& [status, cseq] : std::vector<std::pair<std::uint16_t, std::uint32_t>>{
             {408, 0}, {503, 3}, {407, 3}, {200, 2}}) {
        Story s = ringing_caller().on(prack_answer(status, cseq));
        CHECK(s.effects.empty());
        CHECK(s.call.state == State::proceeding);
    }
    // The stack has said it again with credentials.
    CHECK(ringing_caller().on(prack_answer(200, 4)).call.dialog.in_flight.prack_sent.done);
}

TEST_CASE("a reliable response wants its PRACK also when the call is being canceled") {
    Story s = Story{.call = sample_call(State::canceling)}.on(rings(77, 3));
    CHECK(names_of(s.effects) == "Persist SendPrack");
}

TEST_CASE("a reliable response to a re-INVITE wants its PRACK, which needs no record") {
    for (const State state : {State::established, State::modifying}) {
        Story s{.call = sample_call(state)};
        CHECK(names_of(s.on(rings(77, 9)).effects) == "SendPrack");
        CHECK(s.call.state == state);
        CHECK(s.on(rings(77, 0)).effects.empty()); // the stack sends it by itself
    }
}

TEST_CASE("an answer that only an earlier life has heard is told to the stack by the stand-in") {
    Story s{.call = sample_call(State::inviting)};
    event::Progress progress = rings(77, 3);
    progress.answer = peer_session();
    s.on(progress);
    const Story first_life = s;
    const event::Answered bare{.cseq = 2, .facts = peer_facts()};
    CHECK(s.on(bare).call.state == State::established); // the stack has heard it

    s = first_life;
    s.killed().on(bare);
    CHECK(names_of(s.effects) == "Persist Dispose RunMedia Restore Tell");
    CHECK(s.call.state == State::restoring);
    CHECK(s.call.cseq_base == sample_watermark + cseq_block);
    CHECK(names_of(s.on(event::Ready{}).effects) == "AcknowledgeAgain RunMedia Arm Tell");
}

TEST_CASE("the caller's PRACK is stored as it came, before its 200") {
    Story s = Story{.call = sample_call(State::alerting)}.on(event::PeerPrack{.text = prack_text});
    CHECK(names_of(s.effects) == "Persist");
    CHECK(s.call.dialog.in_flight.prack == prack_text);
    CHECK(s.on(event::PeerPrack{.text = prack_text}).effects.empty());
}

TEST_CASE("after a restart the stored PRACK comes in behind our 180") {
    Story s = replaying(Story{.call = sample_call(State::alerting)}, true);
    CHECK(names_of(s.effects) == "Respond Tell Settle");
    s = Story{.call = sample_call(State::alerting)}.on(event::PeerPrack{.text = prack_text});
    CHECK(names_of(replaying(s, true).effects) == "Respond ReplayPrack Tell Settle");
}

TEST_CASE("a 200 that waited for a PRACK waits again; one that did not leaves at once") {
    const auto statuses = [](const std::vector<Effect>& effects) {
        std::string all;
        for (const Effect& effect : effects) {
            if (const auto* respond = std::get_if<effect::Respond>(&effect)) {
                all += fmt::format("{} ", respond->status);
            }
        }
        return all;
    };
    Story s{.call = sample_call(State::answering)};
    s.call.dialog.phase = Phase::answered;
    s.call.dialog.boot.established_ms = sample_now.boot_ms();
    s.call.dialog.in_flight.invite = "INVITE sip:alice@192.0.2.10 SIP/2.0\r\n\r\n";
    CHECK(statuses(replaying(s, true).effects) == "180 200 ");
    CHECK(statuses(replaying(s, false).effects) == "200 ");
    s.on(event::PeerPrack{.text = prack_text});
    CHECK(statuses(replaying(s, true).effects) == "200 ");
}

TEST_CASE("the answer to the offer in our 180 is stored, and runs when the user answers") {
    Story s{.call = sample_call(State::alerting)};
    s.call.has_offer = false;
    s.call.dialog.remote_sdp.clear();
    CHECK(names_of(s.on(event::Acked{.answer = peer_session()}).effects) == "Persist");
    CHECK(names_of(s.on(event::Answer{}).effects) == "Persist Respond RunMedia");
}
