// What the Runner promises: nothing is said before it is stored, one step of a call at a time, and
// a store that answers late changes neither what is said nor its order.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/runner.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/call_table.hpp"
#include "unit/fakes/quiet.hpp"
#include "unit/fakes/runner_bench.hpp"

using namespace revenant;
using call::Call;
using call::Effect;
using call::Event;

namespace {

using app::Bench;

Call numbered(Call call, call::Number number) {
    call.dialog.number = number;
    return call;
}

std::vector<Call> all_calls() {
    std::vector<Call> all;
    for (const call::State state : call::all_states) {
        all.push_back(call::sample_call(state));
    }
    for (const auto& [note, call] : call::call_variants()) {
        all.push_back(call);
    }
    return all;
}

// One of each kind.
std::vector<call::TableEvent> kinds_of_events() {
    std::vector<call::TableEvent> kinds;
    for (const call::TableEvent& one : call::table_events()) {
        if (kinds.empty() || kinds.back().event.index() != one.event.index()) {
            kinds.push_back(one);
        }
    }
    return kinds;
}

std::string text_of(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

bool brings_offer_or_end(const Event& event) {
    return std::holds_alternative<call::event::Offered>(event) ||
           std::holds_alternative<call::event::PeerBye>(event);
}

// The first event's first write gets `outcome`; all others succeed. An offer of ours that one of
// the peer's, or its BYE, has come before is not made: it is as if it had been refused with 491.
std::pair<std::string, call::State>
at_once(const Call& call, const Event& first, const Event& second, const base::Status& outcome) {
    Bench b;
    b.store.at_once = {outcome};
    b.store.is_prompt = true;
    const call::Number number = call.dialog.number;
    b.calls.emplace(number, call);
    b.arrive(number, first);
    const auto offer = std::ranges::find_if(
        b.did, [](const std::string& line) { return line.find(" Reoffer") != std::string::npos; });
    if (offer != b.did.end() && brings_offer_or_end(second)) {
        b.did.erase(offer);
        b.runner.arrive(number, call::event::Failed{
                                    .status = 491, .reason = "Request Pending", .is_local = true});
    }
    b.arrive(number, second);
    return {text_of(b.did), b.calls.at(number).state};
}

bool writes(const Effect& effect) {
    return std::holds_alternative<call::effect::Persist>(effect) ||
           std::holds_alternative<call::effect::Forget>(effect);
}

} // namespace

TEST_CASE("a store that answers late changes neither what is said nor its order: every write of "
          "the call table, with every event that comes meanwhile, stored or not") {
    const Quiet quiet;
    std::size_t tried = 0;
    std::size_t impossible = 0;
    const std::vector<call::TableEvent> kinds = kinds_of_events();
    for (const Call& call : all_calls()) {
        for (const auto& [first_note, first] : call::table_events()) {
            const call::Step step = call::step(call, first, call::sample_now);
            const auto write = std::ranges::find_if(step.effects, writes);
            if (write == step.effects.end()) {
                continue;
            }
            const auto before_it = static_cast<std::size_t>(write - step.effects.begin());
            for (const auto& [second_note, second] : kinds) {
                if (!call::check(call::step(step.call, second, call::sample_now).call).empty()) {
                    ++impossible; // an INVITE comes in to the sample of a call of ours
                    continue;
                }
                for (const base::Status& outcome :
                     {base::Status{}, base::Status{base::fail(base::Errc::io, "disk full")}}) {
                    INFO(call::name(call.state), " ", call::name(first), " [", first_note,
                         "] then ", call::name(second), " [", second_note, "] ",
                         outcome ? "stored" : "not stored");
                    Bench b;
                    const call::Number number = call.dialog.number;
                    b.calls.emplace(number, call);
                    b.arrive(number, first);
                    CHECK(b.did.size() == before_it);
                    b.arrive(number, second);
                    CHECK(b.did.size() == before_it);
                    CHECK(b.calls.at(number).state == call.state); // nobody sees what is not stored
                    CHECK_FALSE(b.runner.is_idle(number));
                    b.store.answer(number, outcome);
                    b.answer_all(number);
                    CHECK(b.store.open.empty());
                    const auto [said, state] = at_once(call, first, second, outcome);
                    CHECK(text_of(b.did) == said);
                    CHECK(b.calls.at(number).state == state);
                    ++tried;
                }
            }
        }
    }
    MESSAGE(tried, " tried, ", impossible, " left out");
    CHECK(tried > 10'000);
    CHECK(impossible < tried / 100);
}

TEST_CASE("while one call waits for the store the others go on") {
    const Quiet quiet;
    Bench b;
    for (const call::Number number : {1U, 2U}) {
        b.calls.emplace(number, numbered(call::sample_call(call::State::established), number));
    }
    b.arrive(1, call::event::Hold{});
    b.arrive(1, call::event::PeerBye{.cseq = 13});
    b.arrive(2, call::event::PeerBye{.cseq = 13});
    REQUIRE(b.did.empty());
    b.answer_all(2);
    CHECK(b.calls.at(2).state == call::State::over);
    CHECK(b.calls.at(1).state == call::State::established);
    CHECK(std::ranges::none_of(b.did, [](const auto& line) { return line.starts_with("1 "); }));
    b.answer_all(1);
    CHECK(b.calls.at(1).state == call::State::over);
}

TEST_CASE("a store that answers in any order across calls: each call does what it does alone") {
    const Quiet quiet;
    const std::vector<Event> story{
        call::event::Hold{},
        call::event::PeerInfo{.cseq = 14},
        call::event::Failed{.status = 488, .cseq = 4001},
        call::event::Ready{},
        call::event::HangUp{},
        call::event::RequestDone{.method = "BYE", .status = 200, .cseq = 4001},
        call::event::Terminated{}};
    const auto of_call = [](const Bench& b, call::Number number) {
        std::string all;
        for (const std::string& line : b.did) {
            const std::string prefix = fmt::format("{} ", number);
            all += line.starts_with(prefix) ? line.substr(prefix.size()) + "\n" : "";
        }
        return all;
    };
    Bench alone;
    alone.store.is_prompt = true;
    alone.calls.emplace(1, numbered(call::sample_call(call::State::established), 1));
    for (const Event& event : story) {
        alone.arrive(1, event);
    }
    REQUIRE(alone.calls.at(1).state == call::State::over);
    std::mt19937 dice{20261130}; // NOLINT: the same each time
    for (int round = 0; round < 50; ++round) {
        Bench b;
        constexpr call::Number calls = 12;
        std::map<call::Number, std::size_t> told;
        for (call::Number number = 1; number <= calls; ++number) {
            b.calls.emplace(number, numbered(call::sample_call(call::State::established), number));
            told[number] = 0;
        }
        while (!told.empty() || !b.store.open.empty()) {
            const bool tells = !told.empty() && (b.store.open.empty() || dice() % 2 == 0);
            if (tells) {
                const auto next =
                    std::next(told.begin(), static_cast<std::ptrdiff_t>(dice() % told.size()));
                const auto [number, at] = *next;
                if (++next->second == story.size()) {
                    told.erase(next);
                }
                b.arrive(number, story[at]);
            } else {
                b.store.answer(b.store.open[dice() % b.store.open.size()].number);
            }
        }
        for (call::Number number = 1; number <= calls; ++number) {
            CHECK(of_call(b, number) == of_call(alone, 1));
            CHECK(b.calls.at(number).state == call::State::over);
        }
    }
}

TEST_CASE("the peer's request is kept until it is answered, and not longer") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    auto request = std::make_shared<int>();
    b.arrive(7, call::event::PeerBye{.cseq = 13, .request = request});
    CHECK(request.use_count() > 1);
    b.answer_all(7);
    CHECK(request.use_count() == 1);

    b.calls.at(7) = call::sample_call(call::State::established);
    b.arrive(7, call::event::Offered{.cseq = 12, .facts = call::peer_facts(), .request = request});
    b.arrive(7, call::event::PeerInfo{.cseq = 15, .request = request});
    b.store.answer(7, base::fail(base::Errc::io, "disk full"));
    b.answer_all(7);
    CHECK(request.use_count() == 1);
}

TEST_CASE("what waits for the store ends with the call, and an answer after that does nothing") {
    const Quiet quiet;
    Bench b;
    b.calls.emplace(7, call::sample_call(call::State::established));
    auto request = std::make_shared<int>();
    b.arrive(7, call::event::Hold{});
    b.arrive(7, call::event::PeerInfo{.cseq = 15, .request = request});
    b.runner.forget(7);
    b.calls.erase(7);
    CHECK(request.use_count() == 1);
    b.calls.emplace(7, call::sample_call(call::State::established)); // the number is given again
    b.store.answer(7);
    CHECK(b.did.empty());
    CHECK(b.runner.is_idle(7));
}

TEST_CASE("a store that never answers keeps its call from saying anything") {
    const Quiet quiet;
    auto b = std::make_unique<Bench>();
    b->calls.emplace(7, call::sample_call(call::State::established));
    b->arrive(7, call::event::Hold{});
    const auto late = b->store.open.front().done;
    b->arrive(7, call::event::HangUp{});
    CHECK(b->did.empty());
    b.reset();
    late({}); // nobody is there any more
}
