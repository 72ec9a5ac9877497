#include "app/ringing.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/descriptors.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// For the records, connections and ports of what is up.
constexpr std::size_t descriptors_reserved = 64;

// A burst is over when nobody was refused for so long.
constexpr std::uint32_t burst_pause_ms = 1000;

} // namespace

void Ringing::note(const call::Call& call) {
    const call::Dialog& dialog = call.dialog;
    if (dialog.role == call::Role::callee && dialog.phase == call::Phase::ringing &&
        call.state != call::State::over) {
        calls_.insert(dialog.number);
    } else {
        calls_.erase(dialog.number);
    }
}

bool Ringing::may_begin() {
    if (calls_.size() >= calls_max_) {
        count_refusal(fmt::format("{} {} already; `--max-calls` sets how many may", calls_.size(),
                                  calls_.size() == 1 ? "rings" : "are ringing"));
        return false;
    }
    if (base::descriptors_left() < descriptors_reserved) {
        count_refusal("almost as many files are open as may be; raise `ulimit -n`");
        return false;
    }
    return true;
}

// One line for a burst, when it is over: a flood of them would push everything else off the screen.
void Ringing::count_refusal(std::string why) {
    refusals_ += 1;
    why_ = std::move(why);
    if (!pause_) {
        refusals_seen_ = 0;
        // SAFETY: the timer is a member.
        pause_ = base::every_ms(burst_pause_ms, [this] { tell_refusals(); });
    }
}

void Ringing::tell_refusals() {
    if (std::exchange(refusals_seen_, refusals_) != refusals_) {
        return;
    }
    pause_.reset();
    const std::int64_t count = std::exchange(refusals_, 0);
    shell::print({.event = "calls.refused",
                  .call = std::nullopt,
                  .tone = shell::Tone::attention,
                  .text = fmt::format("{} more call{} refused: {}", count,
                                      count == 1 ? " was" : "s were", why_),
                  .fields = {{"count", count}, {"reason", why_}}});
}

} // namespace revenant::app
