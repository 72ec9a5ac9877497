// From the record back to the call: restore inside the stack, one armed re-INVITE, and what each
// answer to it means (RFC 3261 §12.2.1.2, §14.1; RFC 5057; RFC 6141).
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

// What one birth may use: the stand-in's INVITE, the armed one, authentication, detours, a BYE.
constexpr std::uint32_t cseq_per_birth = 100;
constexpr std::uint32_t backoff_first_ms = 500; // T1 (RFC 3261 §17.1.1.1), doubled up to T2
constexpr std::uint32_t backoff_most_ms = 4000;

bool peer_ended_it(std::uint16_t status) {
    return status == 481 || status == 404 || status == 410;
}

// Not the peer's word on our description: it, or somebody on the way, has trouble. Nobody says that
// the dialog is over (RFC 5057 §5.1 has some of these end it, which would lose a call over a
// proxy's bad moment).
bool is_trouble(std::uint16_t status) {
    switch (status) {
    case 405:
    case 408: // or silence
    case 416:
    case 480:
    case 482:
    case 483:
    case 484:
    case 485:
    case 604: return true;
    default: // 503: or nobody listens there; from 700 on: trouble of the stack's own
        return (status >= 500 && status < 600) || status >= 700;
    }
}

void arm(Step& result, base::Now now) {
    Call& next = result.call;
    next.state = State::resuming;
    next.resume_when_ready = false;
    next.attempts += 1;
    next.last_status = 0;
    next.last_reason.clear();
    if (next.resume_deadline_ms == 0) {
        next.resume_deadline_ms = now.boot_ms() + next.resume_window_ms;
    }
    result.effects.emplace_back(effect::RunMedia{});
    // What gets no answer shows no number, so it is counted here.
    if (note_cseq(next, std::max(next.cseq_seen, next.cseq_base + 1) + 1)) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.effects.emplace_back(effect::Arm{});
}

// The next birth starts above everything that this one may have sent.
void move_cseq_base(Step& result) {
    Call& next = result.call;
    next.cseq_base = std::max(next.cseq_base, next.cseq_seen) + cseq_per_birth;
    if (next.cseq_base + cseq_per_birth > next.dialog.cseq_watermark) {
        next.dialog.cseq_watermark = next.cseq_base + cseq_block;
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
}

std::uint32_t backoff_ms(const Call& call) {
    if (call.retry_after_s > 0) {
        return std::min<std::uint32_t>(call.retry_after_s, 3600) * 1000;
    }
    const std::uint32_t doublings =
        std::min<std::uint32_t>(call.attempts > 0 ? call.attempts - 1 : 0, 4);
    return std::min(backoff_first_ms << doublings, backoff_most_ms);
}

std::string answer_text(const Call& call) {
    if (call.last_status == 0) {
        return "no answer";
    }
    return call.last_is_local ? call.last_reason
                              : fmt::format("{} {}", call.last_status, call.last_reason);
}

// For a life that would resume it once more. `now` is as it was when this returns.
bool is_the_same(const Dialog& before, Dialog& now) {
    const std::int64_t deadline_ms = std::exchange(now.timer.deadline_ms, before.timer.deadline_ms);
    const std::int64_t boot_ms = std::exchange(now.boot.deadline_ms, before.boot.deadline_ms);
    const bool same = now == before;
    now.timer.deadline_ms = deadline_ms;
    now.boot.deadline_ms = boot_ms;
    return same;
}

// The peer had ended the call before we asked. BYE all the same (RFC 3261 §12.2.1.2).
Step gone(const Call& call) {
    Step result = end_refused(call, call.last_status, call.last_reason);
    result.call.ending.is_told = true;
    result.effects.emplace_back(
        effect::Tell{.news = News::gone, .status = call.last_status, .detail = call.last_reason});
    settle(result, Verdict::finished, "the peer had ended it: " + answer_text(call));
    return result;
}

// The peer has refused this refresh but not the dialog: it is alive, on both sides.
Step alive_unrefreshed(const Call& call, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    next.state = State::established;
    next.dialog.phase = Phase::established;
    next.resume_deadline_ms = 0;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::Lift{},
                      effect::Tell{.news = News::refused,
                                   .status = call.last_status,
                                   .detail = call.last_reason + "; the call is alive, "
                                                                "its refresh was refused"}};
    settle(result, Verdict::survived, "refresh refused: " + answer_text(call));
    await_refresh(result, now);
    return result;
}

// The dialog stays as it is, in quarantine, and answers; the peer is asked once more after a while.
Step ask_again(const Call& call, std::uint32_t delay_ms, base::Now now) {
    Step result = stay(call);
    if (call.resume_deadline_ms != 0 && now.boot_ms() + delay_ms >= call.resume_deadline_ms) {
        result.call.state = State::restored;
        result.call.resume_deadline_ms = 0;
        result.effects = {effect::Tell{
            .news = News::lost, .status = call.last_status, .detail = answer_text(call)}};
        settle(result, Verdict::lost, answer_text(call));
        return result;
    }
    result.call.state = State::retrying;
    result.effects = {effect::StartRetryTimer{.delay_ms = delay_ms},
                      effect::Tell{.news = News::retrying,
                                   .status = call.last_status,
                                   .detail = fmt::format("{} ms", delay_ms)}};
    return result;
}

// The armed re-INVITE was refused, and the stack has kept the dialog.
Step resume_refused(const Call& call, base::Now now) {
    if (call.last_status == 491) { // both sides have asked at once
        return ask_again(call, glare_delay_ms(call), now);
    }
    if (peer_ended_it(call.last_status)) {
        return gone(call);
    }
    return is_trouble(call.last_status) ? ask_again(call, backoff_ms(call), now)
                                        : alive_unrefreshed(call, now);
}

} // namespace

bool returns_in_silence(const Dialog& dialog) {
    return dialog.phase == Phase::established &&
           (dialog.role == Role::callee || dialog.in_flight.cseq == 0);
}

Step on(const Call& call, const event::Restore& e, base::Now now) {
    if (call.state != State::idle) {
        return refuse(call, fmt::format("call {} is {}", call.dialog.number, name(call.state)));
    }
    Step result = stay(call);
    Call& next = result.call;
    if (call.dialog.phase == Phase::inviting) {
        return repeat_invite(call);
    }
    const bool replay = must_replay(call.dialog, e, now);
    if (call.dialog.phase == Phase::ringing && !replay) {
        settle(result, Verdict::lost,
               e.can_hear_caller
                   ? "it was still ringing here" // and an earlier version has stored too little
                   : "it was still ringing here, over a TCP connection that is gone");
        finish(result, {});
        return result;
    }
    if (!replay && call.dialog.role == Role::callee) {
        next.untidy = !call.dialog.in_flight.invite.empty() || call.dialog.in_flight.cseq != 0;
        next.dialog.in_flight.invite.clear();
        next.dialog.in_flight.cseq = 0;
    }
    next.state = State::restoring;
    next.resume_window_ms = e.deadline_ms;
    next.hang_up_when_ready =
        call.dialog.phase == Phase::ending && call.dialog.in_flight.status == 0;
    next.resume_when_ready = e.resume && !next.hang_up_when_ready && !replay;
    if (next.resume_when_ready) {
        // The stream goes on at once; the peer still listens on the same port.
        result.effects.emplace_back(effect::RunMedia{});
        next.resume_deadline_ms = now.boot_ms() + e.deadline_ms;
    }
    result.effects.emplace_back(effect::Restore{});
    return result;
}

Step on(const Call& call, const event::Resume& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    next.resume_window_ms = e.deadline_ms;
    if (call.state == State::restored) {
        next.resume_deadline_ms = 0;
        next.attempts = 0;
        next.settled = false; // a new try, a new line in the ledger
        arm(result, now);
        result.effects.emplace_back(effect::Tell{.news = News::resuming});
        return result;
    }
    if (call.state == State::restoring) {
        next.resume_when_ready = true;
        next.settled = false;
        next.resume_deadline_ms = now.boot_ms() + e.deadline_ms;
        return result;
    }
    if (call.state == State::established) { // not after a restart
        result = refresh(call);
        next.refresh_asked_ms = now.boot_ms();
        return result;
    }
    return traits(call.state).is_coming_back // under way; `replaying` needs none
               ? stay(call)
               : refuse(call, fmt::format("call {} is {}: there is nothing to re-INVITE yet",
                                          call.dialog.number, name(call.state)));
}

Step resume_answered(const Call& call, const event::Answered& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    if (e.from_stand_in) {
        // The birth itself, the stack's own refresh in quarantine, or its own retry of the armed
        // re-INVITE (422, Retry-After), which then has to be armed again.
        if (call.state == State::resuming) {
            next.state = State::detour;
        }
        if (note_cseq(next, e.cseq)) { // after many refreshes
            result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
        }
        result.effects.emplace_back(effect::AcknowledgeStandIn{});
        return result;
    }
    if (is_unreadable(e.answer)) {
        return end_unreadable(call, e);
    }
    learn(next.dialog, e.facts, now);
    const bool more_cseqs = note_cseq(next, e.cseq);
    if (e.answer) {
        static_cast<void>(apply(next, *e.answer));
    }
    next.state = State::established;
    next.dialog.phase = Phase::established;
    next.dialog.in_flight = {};
    next.resume_deadline_ms = 0;
    next.attempts = 0;
    if (more_cseqs || call.untidy || !is_the_same(call.dialog, next.dialog)) {
        next.untidy = false;
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    } else {
        // Only the session's end and the count of the restarts are new. With thousands of calls the
        // peers would wait for the writing.
        next.unsaved = true;
        result.effects.emplace_back(effect::PersistSoon{});
    }
    result.effects.emplace_back(effect::Acknowledge{});
    result.effects.emplace_back(effect::RunMedia{});
    result.effects.emplace_back(
        effect::Tell{.news = News::resumed, .detail = fmt::format("{}", e.cseq)});
    tell_fault(result, e);
    settle(result, Verdict::survived, "");
    return result;
}

Step resume_ready(const Call& call, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    const InFlight& in_flight = call.dialog.in_flight;
    if (call.state == State::restoring && !in_flight.invite.empty()) {
        next.state = State::replaying;
        result.effects = {effect::Replay{}};
        return result;
    }
    if (call.state == State::restoring && call.attempts == 0 && in_flight.cseq != 0) {
        // The 2xx was stored, its ACK may not have left; a second one does no harm.
        result.effects = {effect::AcknowledgeAgain{.cseq = in_flight.cseq}};
    }
    if (call.hang_up_when_ready) {
        next.hang_up_when_ready = false;
        next.state = State::ending;
        result.effects.emplace_back(effect::SendBye{});
        result.effects.emplace_back(effect::CloseMedia{});
        return result;
    }
    if (call.state == State::restoring || call.state == State::detour) {
        const bool go_on = call.resume_when_ready || call.state == State::detour;
        const bool is_wanted = call.resume_deadline_ms != 0; // when the timer fires
        next.state = is_wanted ? State::retrying : State::restored;
        if (go_on) {
            arm(result, now);
        }
        if (call.state == State::restoring && call.attempts == 0) {
            result.effects.emplace_back(
                effect::Tell{.news = go_on ? News::resuming : News::restored});
        }
        return result;
    }
    if (call.state == State::resuming && call.last_status >= 300) {
        return resume_refused(call, now);
    }
    return result;
}

Step resume_terminated(const Call& call, const event::Terminated& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    if (call.hang_up_when_ready) {
        result.effects = {effect::Tell{.news = News::ended, .detail = "local"}};
        finish(result, "it could not be rebuilt to say BYE");
        return result;
    }
    if (call.state == State::restoring || call.state == State::replaying) {
        // Not the peer's doing: this start cannot rebuild the dialog at all (another listening
        // address, most often). The record stays for one that can.
        next.state = State::over;
        result.effects = {effect::Shelve{}, effect::CloseMedia{},
                          effect::Tell{.news = News::lost, .status = e.status, .detail = e.reason}};
        settle(result, Verdict::lost, e.reason);
        return result;
    }
    // Back into quarantine at once: the peer may still believe in the call, and its requests are to
    // be answered.
    next.state = State::restoring;
    next.in_the_way = 0; // it goes with the dialog in the stack
    next.resume_when_ready = false;
    result.effects = {effect::Dispose{}};
    move_cseq_base(result);
    result.effects.emplace_back(effect::Restore{});
    if (call.resume_deadline_ms == 0) {
        return result;
    }
    const std::uint32_t delay_ms = backoff_ms(call);
    if (now.boot_ms() + delay_ms < call.resume_deadline_ms) {
        result.effects.emplace_back(effect::StartRetryTimer{.delay_ms = delay_ms});
        result.effects.emplace_back(effect::Tell{.news = News::retrying,
                                                 .status = call.last_status,
                                                 .detail = fmt::format("{} ms", delay_ms)});
        return result;
    }
    next.resume_deadline_ms = 0;
    result.effects.emplace_back(
        effect::Tell{.news = News::lost, .status = call.last_status, .detail = answer_text(call)});
    settle(result, Verdict::lost, answer_text(call));
    return result;
}

Step on(const Call& call, const event::RetryDue& /*e*/, base::Now now) {
    Step result = stay(call);
    if (call.state == State::retrying) {
        arm(result, now);
    } else if (call.state == State::restoring) { // made anew meanwhile, and not there yet
        result.call.resume_when_ready = call.resume_deadline_ms != 0;
    } else if (call.state == State::established && call.glare_retry) {
        result.call.glare_retry = false;
        // The offer is made anew from what is agreed by now.
        return call.offered_hold != call.dialog.hold.local
                   ? offer_hold(result.call, call.offered_hold)
                   : refresh(result.call);
    } else if (call.state == State::established && call.refresh_due) {
        return refresh_again(call, now);
    }
    return result;
}

} // namespace revenant::call
