// Every event in every state, as text against tests/data/registration_table.txt. A change of the
// machine shows there as a change of rows: read them, then write the file anew with
// REVENANT_UPDATE_GOLDEN=1.
#include <algorithm>
#include <cstddef>
#include <cstdint>
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

#include "revenant/account/machine.hpp"
#include "revenant/base/overloaded.hpp"
#include "revenant/base/variant.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

constexpr const char* golden_path = "tests/data/registration_table.txt";

struct TableEvent {
    std::string note; // what sets it apart from the plain one
    Event event;
};

std::vector<TableEvent> answers_to(const Binding& binding) {
    std::vector<TableEvent> events{
        {"200", granted(binding, 3600)},      {"200 for 0 s", granted(binding, 0)},
        {"200 for 1 s", granted(binding, 1)}, {"200 for ever", granted(binding, 0xFFFFFFFFU)},
        {"401", challenged(binding, "n1")},   {"401 stale", challenged(binding, "n1", true)},
        {"no answer", no_answer(binding)},
    };
    event::Answered e = answer(binding, 200);
    e.grant = Grant{};
    events.push_back({"200 without us", e});
    e = challenged(binding, "n1");
    e.challenges.front().has_credentials = false;
    events.push_back({"401 no credentials", e});
    e = answer(binding, 302);
    e.moved_to = "sip:other.example.org";
    events.push_back({"302", e});
    e.moved_to = binding.record.registrar;
    events.push_back({"302 to itself", e});
    e = answer(binding, 423);
    e.min_expires_s = 7200;
    events.push_back({"423", e});
    e.min_expires_s = 60;
    events.push_back({"423 absurd", e});
    for (const int status : {400, 403, 404, 439, 480, 500, 503, 603}) {
        events.push_back(
            {fmt::format("{}", status), answer(binding, static_cast<std::uint16_t>(status))});
    }
    e = answer(binding, 503);
    e.retry_after_s = 300;
    events.push_back({"503 in 300 s", e});
    e = answer(binding, 200);
    e.cseq -= 1;
    events.push_back({"of an earlier one", e});
    return events;
}

std::vector<TableEvent> table_events(const Binding& binding) {
    std::vector<TableEvent> events{
        {"", event::Register{}},
        {"", event::Unregister{}},
        {"", event::Keyed{}},
        {"", event::Restore{.settings_id = "s1"}},
        {"no flow", event::Restore{.has_flow = false, .settings_id = "s1"}},
        {"other settings", event::Restore{.settings_id = "s2"}},
        {"", event::FlowLost{}},
        {"", event::Moved{.local = {.address = "192.0.2.8", .port = 5060},
                          .contact = "sip:alice@192.0.2.8:5060"}},
        {"early", event::Due{}},
        {"", event::StoreFailed{}},
    };
    for (TableEvent& answered : answers_to(binding)) {
        events.push_back(std::move(answered));
    }
    return events;
}

std::string seconds_until(std::int64_t boot_ms, base::Now now) {
    return fmt::format("{} s", static_cast<double>(boot_ms - now.boot_ms()) / 1000);
}

std::string text_of(const Effect& effect, const Binding& binding, base::Now now) {
    const auto detail = base::Overloaded{
        [&](const effect::Send& e) {
            std::string counts;
            for (const Challenge& one : e.answers) {
                counts += fmt::format(", {}/{}", one.nonce, one.nonce_count);
            }
            return fmt::format("({}, {} s{})", binding.record.cseq, e.expires_s, counts);
        },
        [&](const effect::WaitUntil& e) {
            return fmt::format("({})", seconds_until(e.boot_ms, now));
        },
        [](const effect::Tell& e) {
            return e.detail.empty() ? fmt::format("({})", name(e.news))
                                    : fmt::format("({} \"{}\")", name(e.news), e.detail);
        },
        [](const auto&) { return std::string{}; },
    };
    return std::string{base::alternative_name(effect)} + std::visit(detail, effect);
}

std::string row(const std::string& state_note, const Binding& binding, const TableEvent& c) {
    // A timer is served at its instant.
    const bool is_due = std::holds_alternative<event::Due>(c.event) && c.note.empty();
    const base::Now now = is_due ? later(binding.due_ms - sample_now.boot_ms()) : sample_now;
    const Step result = step(binding, c.event, now, sample_draw());
    const auto noted = [](std::string_view name, std::string_view note) {
        return note.empty() ? std::string{name} : fmt::format("{} [{}]", name, note);
    };
    const std::string from = noted(name(binding.state), state_note);
    const std::string what = noted(base::alternative_name(c.event), c.note);
    INFO(from, " ", what);
    CHECK(check(result.binding) == "");
    std::string effects;
    for (const Effect& effect : result.effects) {
        effects += (effects.empty() ? " " : ", ") + text_of(effect, result.binding, now);
    }
    std::string line = fmt::format("{} --{}--> {}:{}", from, what, name(result.binding.state),
                                   effects.empty() ? " -" : effects);
    if (!result.status) {
        line += " | " + result.status.error().context;
    }
    return line + "\n";
}

// Of an earlier life, by how its record stands.
std::vector<std::pair<std::string, Binding>> found_records() {
    std::vector<std::pair<std::string, Binding>> found;
    for (const State state : all_states) {
        if (state != State::off) {
            found.emplace_back(fmt::format("was {}", name(state)),
                               revive(sample_binding(state).record));
        }
    }
    Registration expired = sample_binding(State::registered).record;
    expired.expires_boot_ms = sample_now.boot_ms() - 1;
    found.emplace_back("was registered until now", revive(std::move(expired)));
    return found;
}

std::string table() {
    std::string text = "# What the machine of a registration does: STATE --EVENT--> NEXT: EFFECTS\n"
                       "# Written by table_test.cpp with REVENANT_UPDATE_GOLDEN=1.\n";
    for (const State state : all_states) {
        text += "\n";
        const Binding binding = sample_binding(state);
        for (const TableEvent& c : table_events(binding)) {
            text += row("", binding, c);
        }
        if (binding.due_ms != 0) {
            text += row("", binding, {"", event::Due{}});
        }
    }
    text += "\n# Records of an earlier life.\n";
    for (const auto& [note, binding] : found_records()) {
        text += "\n";
        const std::vector<TableEvent> events = table_events(binding);
        for (const TableEvent& c : events) {
            if (std::holds_alternative<event::Restore>(c.event)) {
                text += row(note, binding, c);
            }
        }
    }
    return text;
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

TEST_CASE("the table of a registration covers every state and every event") {
    std::set<std::size_t> seen;
    for (const TableEvent& c : table_events(new_binding())) {
        seen.insert(c.event.index());
    }
    CHECK(seen.size() == std::variant_size_v<Event>);
    CHECK(all_states.size() == static_cast<std::size_t>(State::leaving) + 1);
    for (const State state : all_states) {
        const Binding binding = sample_binding(state);
        CHECK(binding.state == state);
        CHECK(check(binding) == "");
    }
}

TEST_CASE("every event in every state of a registration does what the table says") {
    const std::string is = table();
    if (const char* update = std::getenv("REVENANT_UPDATE_GOLDEN"); // NOLINT(concurrency-*)
        update != nullptr && std::string_view{update} == "1") {
        std::ofstream{golden_path, std::ios::binary} << is;
    }
    std::ifstream file{golden_path, std::ios::binary};
    const std::string should{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE_FALSE(should.empty());
    const auto is_lines = lines_of(is);
    const auto should_lines = lines_of(should);
    CHECK(is_lines.size() == should_lines.size());
    for (std::size_t i = 0; i < std::min(is_lines.size(), should_lines.size()); ++i) {
        CHECK(is_lines[i] == should_lines[i]);
    }
}

} // namespace revenant::account
