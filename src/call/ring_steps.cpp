// How long a call may ring here: as long as the caller says (Expires, RFC 3261 §13.3.1: then 487),
// and not longer than we want (480). Without an end a call that nobody answers would hold its
// record and its ports for ever, since a caller that is gone sends no CANCEL.
#include <algorithm>
#include <cstdint>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

constexpr std::uint16_t request_terminated = 487;
constexpr std::uint16_t temporarily_unavailable = 480;
constexpr std::int64_t day_ms = 86'400'000; // no timer is set for longer

} // namespace

void limit_ringing(Call& call, const event::Invited& e, base::Now now) {
    const std::uint32_t ours_s = call.reception.no_answer_s;
    const bool is_theirs = e.expires_s && (ours_s == 0 || *e.expires_s < ours_s);
    if (!is_theirs && ours_s == 0) {
        return;
    }
    const std::int64_t ring_ms = std::int64_t{is_theirs ? *e.expires_s : ours_s} * 1000;
    Dialog& dialog = call.dialog;
    dialog.in_flight.ring_until_ms = now.real_ms() + ring_ms;
    dialog.in_flight.ring_status = is_theirs ? request_terminated : temporarily_unavailable;
    dialog.boot.ring_until_ms = now.boot_ms() + ring_ms;
}

bool has_rung_enough(const Dialog& dialog, base::Now now) {
    return dialog.in_flight.ring_until_ms != 0 && dialog.boot.ring_until_ms <= now.boot_ms();
}

void ring_timer(Step& result, base::Now now) {
    const Dialog& dialog = result.call.dialog;
    if (dialog.in_flight.ring_until_ms != 0) {
        const std::int64_t left_ms =
            std::clamp<std::int64_t>(dialog.boot.ring_until_ms - now.boot_ms(), 0, day_ms);
        result.effects.emplace_back(
            effect::StartRingTimer{.delay_ms = static_cast<std::uint32_t>(left_ms)});
    }
}

Step on(const Call& call, const event::RingDue& /*e*/, base::Now now) {
    Step result = stay(call);
    if (call.state != State::alerting) {
        return result;
    }
    if (!has_rung_enough(call.dialog, now)) {
        ring_timer(result, now);
        return result;
    }
    decline(result, {.status = call.dialog.in_flight.ring_status, .by = "no answer"});
    return result;
}

} // namespace revenant::call
