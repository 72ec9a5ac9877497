// What the user asks for.
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

std::string not_in(const Call& call, std::string_view what) {
    return fmt::format("call {} is {}: {}", call.dialog.number, name(call.state), what);
}

} // namespace

Step on(const Call& call, const event::Dial& /*e*/, base::Now now) {
    if (call.state != State::idle) {
        return refuse(call, not_in(call, "it has been dialled already"));
    }
    Step result = stay(call);
    Call& next = result.call;
    next.state = State::inviting;
    next.dialog.phase = Phase::inviting;
    next.dialog.started_ms = now.real_ms();
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::abandon},
                      effect::SendInvite{}, effect::Tell{.news = News::calling}};
    return result;
}

void accept(Step& result, effect::Otherwise otherwise, base::Now now) {
    Call& call = result.call;
    Dialog& dialog = call.dialog;
    if (call.has_offer) {
        auto negotiated = answer_offer(call.offer, dialog.media, call.codecs, wanted(dialog.hold),
                                       dialog.media.ssrc, {});
        if (!negotiated) {
            decline(result, {.status = 488});
            result.status = base::fail(negotiated.error());
            return;
        }
        dialog.local_sdp = std::move(negotiated->local_sdp);
        dialog.media = std::move(negotiated->media);
        dialog.remote_sdp = call.offer.text;
        dialog.hold.remote = peer_holds(call.offer, dialog.media);
    } else {
        dialog.local_sdp = write_offer(dialog.media.ssrc, dialog.media.local, call.codecs,
                                       dialog.media.ptime_ms, Direction::sendrecv);
    }
    call.state = State::answering;
    dialog.phase = Phase::answered;
    stamp_answer(dialog, now);
    if (dialog.timer.interval_s != 0) { // RFC 4028 §9: from our answer on
        const std::int64_t left_ms = std::int64_t{dialog.timer.interval_s} * 1000;
        dialog.timer.deadline_ms = now.real_ms() + left_ms;
        dialog.boot.deadline_ms = now.boot_ms() + left_ms;
    }
    result.effects.emplace_back(effect::Persist{.otherwise = otherwise});
    result.effects.emplace_back(effect::Respond{.status = 200});
    if (call.has_offer || !dialog.remote_sdp.empty()) {
        result.effects.emplace_back(effect::RunMedia{});
    }
}

void decline(Step& result, const Refusal& refusal) {
    Call& call = result.call;
    call.state = State::refusing;
    call.dialog.phase = Phase::ending;
    call.dialog.in_flight.status = refusal.status;
    if (refusal.is_stored) {
        // Else a restart would let it ring again, for a caller who has had the answer.
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.effects.emplace_back(effect::Respond{.status = refusal.status});
    result.effects.emplace_back(
        effect::Tell{.news = News::ended, .status = refusal.status, .detail = refusal.by});
}

Step on(const Call& call, const event::Answer& /*e*/, base::Now now) {
    if (call.state != State::alerting) {
        return refuse(call, not_in(call, "there is nothing to answer"));
    }
    Step result = stay(call);
    accept(result, effect::Otherwise::abandon, now);
    return result;
}

Step on(const Call& call, const event::Decline& e, base::Now /*now*/) {
    if (call.state != State::alerting) {
        return refuse(call, not_in(call, "there is nothing to decline"));
    }
    Step result = stay(call);
    decline(result, {.status = e.status});
    return result;
}

Step on(const Call& call, const event::HangUp& /*e*/, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    switch (call.state) {
    case State::alerting: return on(call, event::Decline{}, now);
    case State::inviting:
    case State::proceeding:
        next.state = State::canceling;
        next.dialog.in_flight.canceled = true;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on},
                          effect::SendCancel{}};
        return result;
    case State::answering:
        // RFC 3261 §15: no BYE before the ACK.
        next.hang_up_when_ready = true;
        next.dialog.phase = Phase::ending;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
        return result;
    case State::established:
    case State::modifying:
    case State::restored:
    case State::resuming:
    case State::detour:
    case State::retrying: hang_up(result); return result;
    case State::restoring:
    case State::replaying:
        // There is no dialog to send the BYE in yet.
        if (call.dialog.phase == Phase::ringing) {
            next.dialog.in_flight.status = event::Decline{}.status;
        } else if (call.dialog.in_flight.status == 0) {
            next.hang_up_when_ready = true;
        }
        next.dialog.phase = Phase::ending;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
        return result;
    case State::canceling:
    case State::refusing:
    case State::ending: return stay(call);
    case State::idle:
    case State::over: return refuse(call, not_in(call, "there is nothing to end"));
    }
    return result;
}

Step on(const Call& call, const event::Hold& /*e*/, base::Now /*now*/) {
    if (call.state == State::established && call.dialog.hold.local) {
        return refuse(call, not_in(call, "the peer is on hold already"));
    }
    if (call.glare_retry) {
        return refuse(call, not_in(call, "both ends have changed it at once; the change is made "
                                         "again in a moment"));
    }
    if (call.state != State::established) {
        return refuse(call, not_in(call, "only an established call can be held"));
    }
    return offer_hold(call, true);
}

Step on(const Call& call, const event::Unhold& /*e*/, base::Now /*now*/) {
    if (call.state == State::established && !call.dialog.hold.local) {
        return refuse(call, not_in(call, "the peer is not on hold"));
    }
    if (call.glare_retry) {
        return refuse(call, not_in(call, "both ends have changed it at once; the change is made "
                                         "again in a moment"));
    }
    if (call.state != State::established) {
        return refuse(call, not_in(call, "only an established call can be unheld"));
    }
    return offer_hold(call, false);
}

Step on(const Call& call, const event::SendInfo& e, base::Now now) {
    if (!traits(call.state).is_up) {
        return refuse(call, not_in(call, "INFO needs an established call"));
    }
    Step result = stay(call);
    result.call.in_the_way += 1;
    result.call.requests_open += 1;
    result.call.request_asked_ms = now.boot_ms();
    result.effects = {effect::SendInfo{.content_type = e.content_type, .body = e.body}};
    return result;
}

Step on(const Call& call, const event::SendOptions& /*e*/, base::Now now) {
    if (!traits(call.state).is_up) {
        return refuse(call, not_in(call, "OPTIONS inside a call needs an established one"));
    }
    Step result = stay(call);
    result.call.in_the_way += 1;
    result.call.requests_open += 1;
    result.call.request_asked_ms = now.boot_ms();
    result.effects = {effect::SendOptions{}};
    return result;
}

} // namespace revenant::call
