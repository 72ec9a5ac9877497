// What it means that a request of ours within the call was refused: the call is as it was before
// (RFC 3261 §14.1, RFC 6141). 481 and 408 say that the other end has no such call, or does not
// answer any more: they end it, with BYE (RFC 3261 §12.2.1.2). Of the other answers that RFC 5057
// lets end a call none does here: proxies that are being restarted give them too, while the audio
// goes on. Nor does it mean anything when nobody has answered us, or nothing could be sent.
#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

// How long after a session refresh that was refused, within what is left of the session.
constexpr std::int64_t refresh_again_min_ms = 2000;
constexpr std::int64_t refresh_again_max_ms = 30'000;
// RFC 4028 §10: so long before the session ends without the peer's refresh we hang up.
constexpr std::int64_t give_up_before_ms = 32'000;

std::int64_t left_ms(const Dialog& dialog, base::Now now) {
    return dialog.boot.deadline_ms - now.boot_ms();
}

std::int64_t interval_ms(const SessionTimer& timer) {
    return std::int64_t{timer.interval_s} * 1000;
}

std::int64_t give_up_ms(const SessionTimer& timer) {
    return std::min(give_up_before_ms, interval_ms(timer) / 3);
}

std::int64_t until_refresh_ms(const Call& call, base::Now now) {
    const SessionTimer& timer = call.dialog.timer;
    const std::int64_t left = left_ms(call.dialog, now);
    if (timer.refresher == Refresher::remote) {
        return left - give_up_ms(timer);
    }
    const std::int64_t due = left - interval_ms(timer) / 2;
    if (due > 0) {
        return due;
    }
    if (call.last_status == 491) {
        return glare_delay_ms(call);
    }
    return std::max(std::clamp(left / 4, refresh_again_min_ms, refresh_again_max_ms),
                    std::int64_t{call.retry_after_s} * 1000);
}

Step end_expired(const Call& call) {
    Step result = stay(call);
    result.call.ending.by = "timer";
    hang_up(result);
    return result;
}

} // namespace

bool ends_dialog(std::uint16_t status, bool is_local) {
    return (status == 481 || status == 408) && !is_local;
}

void hang_up(Step& result) {
    Call& next = result.call;
    next.state = State::ending;
    next.dialog.phase = Phase::ending;
    next.dialog.in_flight.reoffer = false;
    next.offer_waits = false;
    // Without a record of the BYE a restart would bring back a call that has been ended; the peer
    // ends it then all the same.
    result.effects.emplace_back(effect::StopRetryTimer{});
    result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    result.effects.emplace_back(effect::SendBye{});
    result.effects.emplace_back(effect::CloseMedia{});
}

Step end_refused(const Call& call, std::uint16_t status, const std::string& reason) {
    Step result = stay(call);
    result.call.ending = {.by = "refusal", .status = status, .reason = reason};
    hang_up(result);
    return result;
}

void await_refresh(Step& result, base::Now now) {
    Call& next = result.call;
    const SessionTimer& timer = next.dialog.timer;
    next.refresh_due =
        timer.interval_s != 0 && timer.deadline_ms != 0 && timer.refresher != Refresher::none;
    if (!next.refresh_due) {
        return;
    }
    const std::int64_t left = std::max<std::int64_t>(left_ms(next.dialog, now), 0);
    const std::int64_t delay = std::clamp<std::int64_t>(until_refresh_ms(next, now), 0, left);
    result.effects.emplace_back(
        effect::StartRetryTimer{.delay_ms = static_cast<std::uint32_t>(delay)});
}

Step refresh_again(const Call& call, base::Now now) {
    Step result = stay(call);
    result.call.refresh_due = false;
    const SessionTimer& timer = call.dialog.timer;
    const std::int64_t left = left_ms(call.dialog, now);
    if (timer.refresher == Refresher::remote) {
        if (left <= give_up_ms(timer)) {
            return end_expired(result.call);
        }
        await_refresh(result, now);
        return result;
    }
    return left <= 0 ? end_expired(result.call) : refresh(result.call);
}

void take_offer_back(Call& call) {
    Dialog& dialog = call.dialog;
    if (dialog.local_sdp != call.agreed_sdp) {
        // Under a version that no description has had (RFC 3264 §8): the refused one keeps its own.
        dialog.local_sdp = redirect(dialog.local_sdp, direction_of(call.agreed_sdp));
    }
    dialog.hold.local = call.agreed_hold;
}

Step roll_back(const Call& call, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    take_offer_back(next);
    next.dialog.in_flight.reoffer = false;
    next.refresh_asked_ms = 0;
    next.state = State::established;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::Describe{},
                      effect::Tell{.news = News::refused,
                                   .status = call.last_status,
                                   .detail = call.last_reason}};
    await_refresh(result, now);
    return result;
}

void refresh_refused(Step& result, base::Now now) {
    const Call& call = result.call;
    result.effects.emplace_back(
        effect::Tell{.news = News::refused,
                     .status = call.last_status,
                     .detail = call.last_reason + "; the session is not refreshed"});
    await_refresh(result, now);
}

} // namespace revenant::call
