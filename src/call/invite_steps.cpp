// Answers to our INVITEs.
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

// Why there can be no dialog with the one who has answered; empty: there can.
std::string dialog_fault(const event::Answered& e) {
    if (e.facts.remote_tag.empty()) { // as from before RFC 3261 (§12.1.2)
        return "the other end's answer has no tag";
    }
    return e.fault.empty() ? std::string{}
                           : fmt::format("the other end's answer cannot be used: {}", e.fault);
}

// The first 2xx: the call is made.
Step first_answer(const Call& call, const event::Answered& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    Dialog& dialog = next.dialog;
    learn(dialog, e.facts, now);
    next.last_status = 0;
    next.last_reason.clear();
    dialog.remote_tag = e.facts.remote_tag;
    dialog.route_set = e.facts.route_set;
    static_cast<void>(note_cseq(next, e.cseq));
    stamp_answer(dialog, now);
    dialog.phase = Phase::established;
    // Kept until it is certain that the ACK has left.
    dialog.in_flight = {.invite = {}, .cseq = e.cseq};
    next.untidy = true;
    base::Status applied;
    const std::string fault = dialog_fault(e);
    if (!fault.empty()) {
        next.state = State::ending;
        dialog.phase = Phase::ending;
        result.effects = {effect::Forget{}, effect::Acknowledge{}, effect::SendBye{},
                          effect::CloseMedia{},
                          effect::Tell{.news = News::failed, .detail = fault}};
        settle(result, Verdict::finished, fault);
        return result;
    }
    if (e.answer) {
        applied = apply(next, *e.answer);
    } else if (dialog.remote_sdp.empty()) { // else a 1xx has brought the answer
        applied = base::fail(base::Errc::unsupported, "the peer's 200 has no answer to our offer");
    }
    if (e.by_another && !applied) {
        return stay(call); // it gives up by itself (RFC 3261 §13.3.1.4)
    }
    if (!applied || call.state == State::canceling) {
        // RFC 3261 §13.2.2.4, §15: a 2xx is ACKed first, then ended with BYE. No record: there is
        // nothing to come back to.
        next.state = State::ending;
        dialog.phase = Phase::ending;
        const std::string why = applied ? "canceled" : applied.error().context;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on},
                          effect::Acknowledge{}, effect::SendBye{}, effect::CloseMedia{},
                          effect::Tell{.news = News::failed, .status = 0, .detail = why}};
        settle(result, Verdict::finished, "it was canceled");
        return result;
    }
    if (e.by_another || (!e.answer && !call.answer_heard)) {
        return make_answered(std::move(result), now);
    }
    next.state = State::established;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::report},
                      effect::Acknowledge{}, effect::RunMedia{},
                      effect::Tell{.news = News::established}};
    settle(result, Verdict::survived, "it is answered now");
    if (dialog.hold.remote) {
        result.effects.emplace_back(effect::Tell{.news = News::held, .detail = "remote"});
    }
    return result;
}

// A 2xx to a re-INVITE of ours in a running call: hold, unhold, or the stack's session refresh.
Step later_answer(const Call& call, const event::Answered& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    if (is_unreadable(e.answer)) {
        return end_unreadable(call, e);
    }
    const bool was_modifying = call.state == State::modifying;
    learn(next.dialog, e.facts, now);
    next.last_status = 0;
    next.last_reason.clear();
    static_cast<void>(note_cseq(next, e.cseq));
    next.dialog.in_flight.reoffer = false;
    next.refresh_due = false;
    next.state = State::established;
    if (e.answer) {
        // An answer that we cannot use leaves the media as they are; the peer has agreed to
        // something, and ending the call over it would be worse.
        static_cast<void>(apply(next, *e.answer));
    }
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::Acknowledge{},
                      effect::RunMedia{}};
    if (was_modifying && next.dialog.hold.local != call.agreed_hold) {
        result.effects.emplace_back(effect::Tell{
            .news = next.dialog.hold.local ? News::held : News::unheld, .detail = "local"});
    } else {
        const bool is_asked = was_modifying && call.refresh_asked_ms != 0;
        result.effects.emplace_back(
            effect::Tell{.news = News::refreshed,
                         .status = is_asked ? std::uint16_t{200} : std::uint16_t{0},
                         .round_trip_ms = is_asked ? now.boot_ms() - call.refresh_asked_ms : -1,
                         .allow = is_asked ? e.facts.allow : std::string{}});
    }
    tell_fault(result, e);
    next.refresh_asked_ms = 0;
    return result;
}

// For the Ready or Terminated that follows.
void note_failure(Call& next, const event::Failed& e) {
    next.last_status = e.status;
    next.last_reason = e.reason;
    next.last_is_local = e.is_local;
    next.retry_after_s = e.retry_after_s;
    next.dialog.timer.min_se_s = std::max(next.dialog.timer.min_se_s, e.min_se_s);
}

// The peer knows the dialog; we only cannot refresh it. Back into quarantine, by a new birth,
// because the stack keeps the challenged INVITE pending.
Step back_into_quarantine(const Call& call, const event::Failed& e) {
    Step result = stay(call);
    Call& next = result.call;
    note_failure(next, e);
    next.state = State::restoring;
    next.in_the_way = 0; // it goes with the dialog in the stack
    next.cseq_base = e.cseq;
    next.resume_when_ready = false;
    next.resume_deadline_ms = 0;
    result.effects = {effect::Dispose{}};
    if (note_cseq(next, e.cseq + cseq_block / 10)) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.effects.emplace_back(effect::Restore{});
    result.effects.emplace_back(
        effect::Tell{.news = News::refused, .status = e.status, .detail = next.last_reason});
    settle(result, Verdict::lost, next.last_reason);
    return result;
}

// The request waits for credentials, which there are.
Step answer_challenge(const Call& call, const event::Challenged& e) {
    Step result = stay(call);
    Call& next = result.call;
    next.last_status = e.status;
    next.last_is_local = false;
    next.last_reason = "Unauthorized";
    const bool more_cseqs = note_cseq(next, e.cseq);
    if (call.state == State::canceling) {
        // The challenge has ended the INVITE, and nobody wants it repeated.
        result.effects = {effect::Dispose{},
                          effect::Tell{.news = News::ended, .status = 487, .detail = "local"}};
        finish(result, "it was canceled");
        return result;
    }
    if (more_cseqs) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.effects.emplace_back(effect::Authenticate{});
    return result;
}

} // namespace

void tell_fault(Step& result, const event::Answered& e) {
    if (!e.fault.empty()) {
        result.effects.emplace_back(effect::Tell{
            .news = News::trouble,
            .detail = fmt::format("the other end has changed its address, but {}; the one before "
                                  "is kept",
                                  e.fault)});
    }
}

Step on(const Call& call, const event::Progress& e, base::Now /*now*/) {
    Step result = stay(call);
    if (e.min_se_s > call.dialog.timer.min_se_s) {
        result.call.dialog.timer.min_se_s = e.min_se_s;
    }
    if (call.state == State::canceling || traits(call.state).is_up) {
        acknowledge_progress(result, e);
        return result;
    }
    if (call.state != State::inviting && call.state != State::proceeding) {
        return result;
    }
    result.call.state = State::proceeding;
    if (!e.remote_tag.empty()) {
        result.call.dialog.remote_tag = e.remote_tag;
    }
    if (e.status > 100) {
        result.effects.emplace_back(
            effect::Tell{.news = News::progress, .status = e.status, .detail = e.reason});
        settle(result, Verdict::survived, "it rings on");
    }
    // Early media: what rings or speaks before the 2xx.
    const bool has_media = e.answer && apply(result.call, *e.answer);
    result.call.answer_heard = call.answer_heard || has_media;
    acknowledge_progress(result, e);
    if (has_media) {
        result.effects.emplace_back(effect::RunMedia{});
    }
    return result;
}

Step on(const Call& call, const event::Answered& e, base::Now now) {
    if (e.by_another && call.state != State::inviting && call.state != State::proceeding) {
        return stay(call);
    }
    const StateTraits& is = traits(call.state);
    if (is.is_inviting) {
        return first_answer(call, e, now);
    }
    if (is.is_coming_back) {
        return resume_answered(call, e, now);
    }
    if (is.is_up && !e.from_stand_in) {
        return call.offer_waits ? refreshed_before_offer(call, e, now) : later_answer(call, e, now);
    }
    Step result = stay(call);
    if (e.from_stand_in && (is.is_up || call.state == State::ending)) {
        // Late: sent before the quarantine ended.
        result.effects = {effect::AcknowledgeStandIn{}};
    } else if (call.state == State::ending) {
        // RFC 3261 §13.2.2.4: every 2xx is ACKed, also when our BYE is already under way.
        result.effects = {effect::Acknowledge{}};
    }
    return result;
}

Step on(const Call& call, const event::Challenged& e, base::Now now) {
    if (!e.is_over) {
        return answer_challenge(call, e);
    }
    const std::string reason =
        e.have_credentials ? fmt::format("credentials for realm \"{}\" refused", e.realm)
                           : fmt::format("no credentials for realm \"{}\"; give them with `key` or "
                                         "--credentials FILE",
                                         e.realm);
    if (e.method != "INVITE") {
        return on(call,
                  event::RequestDone{
                      .method = e.method, .status = e.status, .reason = reason, .cseq = e.cseq},
                  now);
    }
    const event::Failed failed{.status = e.status, .reason = reason, .cseq = e.cseq};
    return call.state == State::resuming ? back_into_quarantine(call, failed)
                                         : on(call, failed, now);
}

Step on(const Call& call, const event::Failed& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    note_failure(next, e);
    if (note_cseq(next, e.cseq) && call.state != State::over) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    if (traits(call.state).is_up && ends_dialog(e.status, e.is_local)) {
        return end_refused(next, e.status, e.reason);
    }
    if (call.state == State::established || call.offer_waits) {
        refresh_refused(result, now);
        return result;
    }
    if (e.status == 491 && call.state == State::modifying) {
        // The peer's own offer may come first: it is answered from what both have agreed on.
        take_offer_back(next);
        next.glare_retry = true;
        result.effects.emplace_back(effect::StartRetryTimer{.delay_ms = glare_delay_ms(next)});
    }
    return result;
}

} // namespace revenant::call
