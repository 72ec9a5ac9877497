// Every event in every state, as text against tests/data/call_table.txt. A change of the machine
// shows there as a change of rows: read them, then write the file anew with
// REVENANT_UPDATE_GOLDEN=1.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/call_table.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

constexpr const char* golden_path = "tests/data/call_table.txt";

std::string row(std::string_view state_note, const Call& call, const TableEvent& c) {
    const Step result = step(call, c.event, sample_now);
    const auto noted = [](std::string_view name, std::string_view note) {
        return note.empty() ? std::string{name} : fmt::format("{} [{}]", name, note);
    };
    INFO(noted(name(call.state), state_note), " ", noted(name(c.event), c.note));
    CHECK(check(result.call) == "");
    std::string effects;
    for (const Effect& effect : result.effects) {
        effects += (effects.empty() ? " " : ", ") + text_of(effect);
    }
    std::string line = fmt::format("{} --{}--> {}:{}", noted(name(call.state), state_note),
                                   noted(name(c.event), c.note), name(result.call.state),
                                   effects.empty() ? " -" : effects);
    if (!result.status) {
        line += " | " + result.status.error().context;
    }
    return line + "\n";
}

std::string table() {
    std::string text = "# What the call machine does: STATE --EVENT--> NEXT: EFFECTS | ERROR\n"
                       "# Written by call_table_test.cpp with REVENANT_UPDATE_GOLDEN=1.\n";
    for (const State state : all_states) {
        text += "\n";
        for (const TableEvent& c : table_events()) {
            text += row("", sample_call(state), c);
        }
    }
    text += "\n# Calls that only their history tells apart: the events to which it matters.\n";
    for (const auto& [note, call] : call_variants()) {
        text += "\n";
        const TableEvent plain_challenge{"401",
                                         event::Challenged{.cseq = 4001, .have_credentials = true}};
        for (const TableEvent& c :
             {TableEvent{"", event::Answer{}}, TableEvent{"", event::HangUp{}},
              TableEvent{"", event::Hold{}}, TableEvent{"", event::Unhold{}},
              TableEvent{"", event::Resume{}}, TableEvent{"", event::Restore{}},
              TableEvent{"and resume", event::Restore{.resume = true}}, plain_challenge,
              TableEvent{"", event::Ready{}}, TableEvent{"", event::Terminated{}},
              TableEvent{"", event::RetryDue{}}}) {
            text += row(note, call, c);
        }
    }
    text += "\n# What the stack would leave behind an INFO for ever.\n";
    for (const auto& [note, call] : calls_with_info_open()) {
        text += "\n";
        for (const TableEvent& c : table_events()) {
            text += row(note, call, c);
        }
    }
    return text;
}

std::string content_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return lines;
}

} // namespace

TEST_CASE("the table covers every state and every event") {
    std::set<std::size_t> seen;
    for (const TableEvent& c : table_events()) {
        seen.insert(c.event.index());
    }
    CHECK(seen.size() == std::variant_size_v<Event>);
    CHECK(all_states.size() == static_cast<std::size_t>(State::over) + 1);
    for (const State state : all_states) {
        const Call call = sample_call(state);
        CHECK(call.state == state);
        CHECK(check(call) == "");
    }
}

TEST_CASE("every event in every state does what the table says") {
    const std::string is = table();
    if (const char* update = std::getenv("REVENANT_UPDATE_GOLDEN"); // NOLINT(concurrency-*)
        update != nullptr && std::string_view{update} == "1") {
        std::ofstream{golden_path, std::ios::binary} << is;
    }
    const std::string should = content_of(golden_path);
    REQUIRE_FALSE(should.empty());
    const auto is_lines = lines_of(is);
    const auto should_lines = lines_of(should);
    CHECK(is_lines.size() == should_lines.size());
    for (std::size_t i = 0; i < std::min(is_lines.size(), should_lines.size()); ++i) {
        CHECK(is_lines[i] == should_lines[i]);
    }
}

TEST_CASE("whoever is over has closed its media, and left a record to nobody but another start") {
    std::vector<std::pair<std::string, Call>> calls = call_variants();
    for (const State state : all_states) {
        calls.emplace_back("", sample_call(state));
    }
    for (const auto& [note, call] : calls) {
        for (const TableEvent& c : table_events()) {
            const Step result = step(call, c.event, sample_now);
            if (call.state == State::over || result.call.state != State::over) {
                continue;
            }
            INFO(name(call.state), " ", note, " --", name(c.event), " ", c.note, "--> over");
            const auto has = [&](auto is) { return std::ranges::any_of(result.effects, is); };
            CHECK(
                has([](const Effect& e) { return std::holds_alternative<effect::CloseMedia>(e); }));
            CHECK_FALSE(
                has([](const Effect& e) { return std::holds_alternative<effect::RunMedia>(e); }));
            const bool is_new =
                call.state == State::idle && (std::holds_alternative<event::Invited>(c.event) ||
                                              std::holds_alternative<event::StoreFailed>(c.event));
            CHECK((is_new || has([](const Effect& e) {
                       return std::holds_alternative<effect::Forget>(e) ||
                              std::holds_alternative<effect::Shelve>(e);
                   })));
        }
    }
}
