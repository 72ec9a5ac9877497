// The Switchboard's limit on what rings: calls come in from anybody, and each takes two descriptors
// and a file. Who comes beyond it is told that we are busy, and nothing of it is kept.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/switchboard.hpp"
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

void Switchboard::note_ringing(const call::Call& call) {
    const call::Dialog& dialog = call.dialog;
    if (dialog.role == call::Role::callee && dialog.phase == call::Phase::ringing &&
        call.state != call::State::over) {
        ringing_.insert(dialog.number);
    } else {
        ringing_.erase(dialog.number);
    }
}

bool Switchboard::may_ring() {
    if (ringing_.size() >= policy_.ringing_max) {
        count_refusal(fmt::format("{} {} already; `--max-calls` sets how many may", ringing_.size(),
                                  ringing_.size() == 1 ? "rings" : "are ringing"));
        return false;
    }
    if (base::descriptors_left() < descriptors_reserved) {
        count_refusal("almost as many files are open as may be; raise `ulimit -n`");
        return false;
    }
    return true;
}

// One line for a burst, when it is over: a flood of them would push everything else off the screen.
void Switchboard::count_refusal(std::string why) {
    refusals_ += 1;
    refusals_why_ = std::move(why);
    if (!refusals_timer_) {
        refusals_seen_ = 0;
        // SAFETY: the timer is a member.
        refusals_timer_ = base::every_ms(burst_pause_ms, [this] { tell_refusals(); });
    }
}

void Switchboard::tell_refusals() {
    if (std::exchange(refusals_seen_, refusals_) != refusals_) {
        return;
    }
    refusals_timer_.reset();
    const std::int64_t count = std::exchange(refusals_, 0);
    shell::print({.event = "calls.refused",
                  .call = std::nullopt,
                  .tone = shell::Tone::attention,
                  .text = fmt::format("{} more call{} refused: {}", count,
                                      count == 1 ? " was" : "s were", refusals_why_),
                  .fields = {{"count", count}, {"reason", refusals_why_}}});
}

} // namespace revenant::app
