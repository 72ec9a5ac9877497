#include "app/commands/command_tools.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

bool is_established(const Call& call) {
    return call.state == call::State::established;
}

bool is_any(const Call& /*call*/) {
    return true;
}

std::string last_answer(const Call& call) {
    if (call.last_status == 0) {
        return "no answer";
    }
    return call.last_is_local ? call.last_reason
                              : fmt::format("{} {}", call.last_status, call.last_reason);
}

base::Status why_over(const Call& call) {
    return base::fail(base::Errc::not_now,
                      call.last_status != 0
                          ? fmt::format("call {}: {}", call.dialog.number, last_answer(call))
                          : fmt::format("call {} has ended", call.dialog.number));
}

void run_on_call(Switchboard& board, const std::string& id, const OnCall& plan, const Done& done) {
    const auto number = board.choose(id, plan.fits, plan.what);
    if (!number) {
        done(base::fail(number.error()));
        return;
    }
    // The condition is asked after each step: those that are still to come before the event's own
    // do not count, and the event's own may be the last.
    auto has_begun = std::make_shared<bool>(false);
    auto finished = std::make_shared<bool>(false);
    const Done once = [finished, done](const base::Status& status) {
        if (!std::exchange(*finished, true)) {
            done(status);
        }
    };
    board.waits().add(
        *number,
        [has_begun, finished, until = plan.until](const Call& call) {
            if (*finished) {
                return std::optional{base::Status{}};
            }
            return *has_begun ? until(call) : std::nullopt;
        },
        0, "", once);
    // SAFETY: the board calls back while it lives.
    board.apply(*number, plan.event,
                [&board, number = *number, has_begun, until = plan.until,
                 once](const base::Status& status) {
                    *has_begun = true;
                    const Call* call = board.find(number);
                    const auto now = status && call != nullptr ? until(*call) : std::nullopt;
                    if (!status || now) {
                        once(status ? *now : status);
                    }
                });
}

void add_row(shell::Table& table,
             Row row,
             std::function<void(const shell::Arguments&, const shell::Done&)> run) {
    table.add({.name = row.name,
               .aliases = std::move(row.aliases),
               .arguments = row.arguments,
               .help = row.help,
               .group = "Calls",
               .arguments_min = row.count.first,
               .arguments_max = row.count.second,
               .completes = std::move(row.completes),
               .words = std::move(row.words),
               .secret = row.secret,
               .run = std::move(run)});
}

} // namespace revenant::app
