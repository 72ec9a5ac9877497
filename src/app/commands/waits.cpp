#include "app/commands/waits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

void Waits::add(std::optional<call::Number> call,
                Condition condition,
                std::uint32_t deadline_ms,
                std::string what,
                shell::Done done) {
    waits_.push_back(Wait{
        .call = call, .condition = std::move(condition), .done = std::move(done), .timer = {}});
    if (deadline_ms == 0) {
        return;
    }
    // SAFETY: list iterators stay valid; the timer goes with its own element.
    const auto self = std::prev(waits_.end());
    self->timer = base::after_ms(deadline_ms, [this, self, deadline_ms, what = std::move(what)] {
        const std::string text =
            fmt::format("{}: not within {} s", what, static_cast<double>(deadline_ms) / 1000.0);
        std::list<Wait> expired;
        expired.splice(expired.begin(), waits_, self);
        expired.front().done(base::fail(base::Errc::not_now, text));
    });
}

void Waits::look(const call::Call& call) {
    std::vector<std::pair<shell::Done, base::Status>> ready;
    for (auto wait = waits_.begin(); wait != waits_.end();) {
        const auto current = wait++;
        if (current->call && *current->call != call.dialog.number) {
            continue;
        }
        if (auto status = current->condition(call)) {
            ready.emplace_back(std::move(current->done), std::move(*status));
            waits_.erase(current);
        }
    }
    // Outside the loop: a finished command may start the next, which may wait in turn.
    for (const auto& [done, status] : ready) {
        done(status);
    }
}

} // namespace revenant::app
