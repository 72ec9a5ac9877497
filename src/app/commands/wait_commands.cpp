// `wait` and `sleep`: what makes scripts of commands that finish later.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "app/commands/call_commands.hpp"
#include "app/commands/wait_conditions.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

using call::Call;
using call::State;
using shell::Arguments;
using shell::Completes;
using shell::Done;

constexpr std::uint32_t wait_default_ms = 60'000;
constexpr double seconds_max = 86'400.0;

struct Condition {
    std::string_view name;
    bool (*holds)(const Switchboard&, const Call&);
    bool may_follow_end; // else the end of the call fails the wait
};

bool is_media_there(const Switchboard& board, const Call& call) {
    const auto statistics = board.media().statistics(call.dialog.number);
    return statistics && statistics->packets_received > 0;
}

constexpr std::array conditions = {
    Condition{"incoming",
              [](const Switchboard&, const Call& c) { return c.state == State::alerting; }, false},
    Condition{"ringing",
              [](const Switchboard&, const Call& c) { return c.state == State::proceeding; },
              false},
    Condition{"established",
              [](const Switchboard&, const Call& c) { return c.state == State::established; },
              false},
    Condition{"ended", [](const Switchboard&, const Call& c) { return c.state == State::over; },
              true},
    Condition{"restored",
              [](const Switchboard&, const Call& c) { return c.state == State::restored; }, false},
    Condition{"resumed",
              [](const Switchboard&, const Call& c) {
                  return c.state == State::established && c.dialog.resumes > 0;
              },
              false},
    Condition{"held",
              [](const Switchboard&, const Call& c) {
                  return c.state == State::established &&
                         (c.dialog.hold.local || c.dialog.hold.remote);
              },
              false},
    Condition{"unheld",
              [](const Switchboard&, const Call& c) {
                  return c.state == State::established && !c.dialog.hold.local &&
                         !c.dialog.hold.remote;
              },
              false},
    Condition{"media", is_media_there, false},
};

std::optional<std::uint32_t> to_milliseconds(std::string text) {
    if (text.ends_with('s')) {
        text.pop_back();
    }
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool whole = !text.empty() && end == text.c_str() + text.size();
    if (!whole || !std::isfinite(seconds) || seconds < 0.0 || seconds > seconds_max) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(seconds * 1000.0);
}

struct Plan {
    std::optional<call::Number> call;
    std::uint32_t deadline_ms = wait_default_ms;
};

// `wait established 30` means seconds when there is no call 30, `wait established 2s` always.
base::Result<Plan> read_plan(const Switchboard& board, const Arguments& arguments) {
    Plan plan;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const auto number = i == 1 ? base::to_u32(arguments[i]) : std::nullopt;
        const bool is_id = number && (arguments.size() == 3 || board.find(*number) != nullptr);
        if (is_id) {
            plan.call = *number;
            continue;
        }
        const auto deadline = to_milliseconds(arguments[i]);
        if (!deadline) {
            return base::fail(base::Errc::bad_input,
                              "usage: wait CONDITION [ID] [SECONDS]; seconds are a number from 0 "
                              "to 86400");
        }
        plan.deadline_ms = *deadline;
    }
    return plan;
}

// What a wait has come to: the call that fits, or none because no call is left.
struct Outcome {
    std::optional<call::Number> call;
};

// Without an id, `ended` means that no call is left; every other condition, that one call fits.
std::optional<Outcome>
holds_now(const Switchboard& board, const Condition& condition, const Plan& plan) {
    bool all_over = true;
    for (const auto& [number, call] : board.calls()) {
        if (plan.call && *plan.call != number) {
            continue;
        }
        all_over = all_over && call.state == State::over;
        if (!condition.may_follow_end && condition.holds(board, call)) {
            return Outcome{.call = number};
        }
    }
    return condition.may_follow_end && all_over ? std::optional{Outcome{.call = plan.call}}
                                                : std::nullopt;
}

void tell(const Condition& condition, const Outcome& outcome) {
    const std::string what = outcome.call               ? fmt::format("call {}", *outcome.call)
                             : condition.may_follow_end ? std::string{"no call is left"}
                                                        : std::string{};
    shell::print({.event = "wait.done",
                  .call = outcome.call,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("wait {}: {}", condition.name, what),
                  .fields = {{"condition", std::string{condition.name}}}});
}

void wait_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    const std::string wanted = base::to_lower(arguments.at(0));
    const auto* condition = conditions.begin();
    while (condition != conditions.end() && condition->name != wanted) {
        ++condition;
    }
    const auto plan = read_plan(board, arguments);
    if (condition == conditions.end() || !plan) {
        done(base::fail(base::Errc::bad_input,
                        plan ? fmt::format("no condition \"{}\"; there are: {}",
                                           base::printable(wanted, 40),
                                           fmt::join(wait_conditions(), ", "))
                             : plan.error().context));
        return;
    }
    if (const auto outcome = holds_now(board, *condition, *plan)) {
        tell(*condition, *outcome);
        done({});
        return;
    }
    if (plan->call && board.find(*plan->call) == nullptr) {
        done(base::fail(base::Errc::not_found,
                        fmt::format("there is no call {}; `calls` lists them", *plan->call)));
        return;
    }
    const auto look = [&board, condition = *condition,
                       plan = *plan](const Call& call) -> std::optional<base::Status> {
        if (const auto outcome = holds_now(board, condition, plan)) {
            tell(condition, *outcome);
            return base::Status{};
        }
        if (plan.call && call.state == State::over) {
            return base::fail(base::Errc::not_now,
                              fmt::format("call {} has ended", call.dialog.number));
        }
        return std::nullopt;
    };
    board.waits().add(plan->call, look, plan->deadline_ms, "wait " + wanted, done);
}

void sleep_command(const Arguments& arguments, const Done& done) {
    const auto delay = to_milliseconds(arguments.at(0));
    if (!delay) {
        done(base::fail(base::Errc::bad_input, "seconds are a number from 0 to 86400"));
        return;
    }
    // The source lives in its own callback until it has fired.
    auto timer = std::make_shared<base::Source>();
    *timer = base::after_ms(*delay, [timer, done] { done({}); });
}

} // namespace

std::vector<std::string> wait_conditions() {
    std::vector<std::string> names;
    names.reserve(conditions.size());
    for (const Condition& condition : conditions) {
        names.emplace_back(condition.name);
    }
    return names;
}

void add_wait_commands(shell::Table& table, Switchboard& board) {
    // SAFETY: the board outlives the table.
    Switchboard* b = &board;
    table.add({.name = "wait",
               .aliases = {},
               .arguments = "CONDITION [ID] [SECONDS]",
               .help = "until a call is established, ended, restored, incoming, …",
               .group = "Scripts",
               .arguments_min = 1,
               .arguments_max = 3,
               .completes = {Completes::condition, Completes::call_id, Completes::nothing},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, const Done& d) { wait_command(*b, a, d); }});
    table.add({.name = "sleep",
               .aliases = {},
               .arguments = "SECONDS",
               .help = "do nothing for a while; calls go on",
               .group = "Scripts",
               .arguments_min = 1,
               .arguments_max = 1,
               .completes = {Completes::nothing},
               .words = {},
               .secret = false,
               .run = [](const Arguments& a, const Done& d) { sleep_command(a, d); }});
}

} // namespace revenant::app
