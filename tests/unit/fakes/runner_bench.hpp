// A Runner with a store that answers when it is told to, and what it has done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/runner.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/manual_store.hpp"

namespace revenant::app {

struct Bench {
    std::map<call::Number, call::Call> calls;
    journal::ManualStore store;
    std::vector<std::string> did; // effects but writes, and what became of events
    std::vector<call::Number> unsure;
    std::vector<std::function<void()>> deadlines; // those that have not passed
    base::Now now = call::sample_now;
    Runner runner;

    Bench()
        : runner{calls,
                 store,
                 {.perform =
                      [this](const call::Call& call, const call::Effect& effect) {
                          did.push_back(
                              fmt::format("{} {}", call.dialog.number, call::text_of(effect)));
                      },
                  .before_save = [](call::Call& /*call*/) {},
                  .stepped = [](const call::Call& /*before*/, const base::Status& /*status*/) {},
                  .unsure = [this](call::Number number) { unsure.push_back(number); },
                  .clock = [this] { return now; },
                  .after =
                      [this](std::uint32_t delay_ms, std::function<void()> f) {
                          CHECK(delay_ms == Runner::write_deadline_ms);
                          deadlines.push_back(std::move(f));
                          return base::Source{};
                      }}} {}

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() = default;

    void arrive(call::Number number, const call::Event& event) {
        runner.arrive(number, event, [this, number, event](const base::Status& status) {
            did.push_back(fmt::format("{} {} {}", number, call::name(event),
                                      status ? "done" : status.error().context));
        });
    }

    void pass_deadlines() {
        for (const auto& passed : std::exchange(deadlines, {})) {
            passed();
        }
    }

    [[nodiscard]] bool has_said(std::string_view word) const {
        return std::ranges::any_of(
            did, [&](const std::string& line) { return line.find(word) != std::string::npos; });
    }

    void answer_all(call::Number number) {
        while (!runner.is_idle(number)) {
            store.answer(number);
        }
    }
};

} // namespace revenant::app
