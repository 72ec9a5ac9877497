// A write that has no answer in time, a store that does not keep up, and what waits for it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/quiet.hpp"
#include "unit/fakes/runner_bench.hpp"

using namespace revenant;
using app::Bench;

TEST_CASE("a write without an answer counts as failed, and the record is put right behind it") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    const std::string before = journal::encode(b.calls.at(7).dialog);
    auto request = std::make_shared<int>();
    b.arrive(7, call::event::Offered{.cseq = 12, .facts = call::peer_facts(), .request = request});
    b.arrive(7, call::event::PeerInfo{.cseq = 15});
    REQUIRE(b.store.open.size() == 1);
    const auto late = b.store.open.front().done;
    b.pass_deadlines();
    CHECK(b.has_said("Reply(500)")); // to the re-INVITE
    CHECK(request.use_count() == 1);
    CHECK(b.calls.at(7).state == call::State::established);
    REQUIRE(b.store.open.size() > 1);
    CHECK(b.store.open.at(1).record == before);
    CHECK(b.unsure.empty());
    const std::size_t said = b.did.size();
    late({}); // it was stored after all, and then what is behind it was
    CHECK(b.did.size() == said);
    b.answer_all(7);
    CHECK(b.calls.at(7).state == call::State::established);
}

TEST_CASE("of a call that was never stored nothing is left by a write without an answer") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::idle));
    b.arrive(7, call::event::Dial{});
    REQUIRE(b.store.open.size() == 1);
    b.pass_deadlines();
    REQUIRE(b.store.open.size() == 2);
    CHECK(b.store.open.at(1).record.empty()); // removed
    CHECK(b.unsure == std::vector<call::Number>{7});
    CHECK_FALSE(b.has_said("SendInvite"));
    CHECK(b.has_said("Dial the record was not stored within 2 s"));
}

TEST_CASE("what is said whatever the store does is said when the store does not answer") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    b.arrive(7, call::event::HangUp{});
    CHECK_FALSE(b.has_said("SendBye"));
    b.pass_deadlines();
    CHECK(b.has_said("SendBye"));
    CHECK(b.calls.at(7).state == call::State::ending);
}

TEST_CASE("an answer in time takes the deadline away") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    b.arrive(7, call::event::Hold{});
    b.answer_all(7);
    const std::size_t said = b.did.size();
    b.pass_deadlines(); // as if the timer had been due already
    CHECK(b.did.size() == said);
}

TEST_CASE("the stack's message that says what a step stores is let go when that is stored") {
    const Quiet quiet;
    for (const bool is_stored : {true, false}) {
        CAPTURE(is_stored);
        Bench b;
        b.calls.emplace(7, call::sample_call(call::State::alerting));
        auto message = std::make_shared<int>();
        b.arrive(7, call::event::Cancelled{.held = message});
        CHECK(message.use_count() > 1);
        if (is_stored) {
            b.store.answer(7);
        } else {
            b.pass_deadlines();
        }
        b.answer_all(7);
        CHECK(message.use_count() == 1);
    }
    Bench prompt;
    prompt.store.is_prompt = true;
    prompt.calls.emplace(7, call::sample_call(call::State::alerting));
    auto message = std::make_shared<int>();
    prompt.arrive(7, call::event::Cancelled{.held = message});
    CHECK(message.use_count() == 1);
}

TEST_CASE("a store that does not keep up is behind until it answers or is given up") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    CHECK_FALSE(b.runner.is_behind());
    b.arrive(7, call::event::Hold{});
    CHECK_FALSE(b.runner.is_behind());
    b.now.boot_ns += 1'001'000'000;
    CHECK(b.runner.is_behind());
    b.answer_all(7);
    CHECK_FALSE(b.runner.is_behind());
}

TEST_CASE("who asks on and on while a record is being stored is told to come later") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    b.arrive(7, call::event::Hold{});
    for (std::uint32_t cseq = 20; cseq < 60; ++cseq) {
        b.arrive(7, call::event::PeerInfo{.cseq = cseq});
    }
    CHECK(std::ranges::count_if(b.did, [](const std::string& line) {
              return line.find("Reply(500)") != std::string::npos;
          }) == 24);
    b.arrive(7, call::event::PeerBye{.cseq = 60}); // which is heard always
    b.answer_all(7);
    CHECK(b.calls.at(7).state == call::State::over);
}
