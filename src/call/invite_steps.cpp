// Answers to what we sent: INVITEs first of all.
#include <string>
#include <utility>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

constexpr std::uint32_t challenges_max = 3;

// The first 2xx: the call is made.
Step first_answer(const Call& call, const event::Answered& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    Dialog& dialog = next.dialog;
    learn(dialog, e.facts, now);
    next.challenges = 0;
    next.last_status = 0;
    next.last_reason.clear();
    dialog.remote_tag = e.facts.remote_tag;
    dialog.route_set = e.facts.route_set;
    static_cast<void>(note_cseq(next, e.cseq));
    dialog.established_ms = now.real_ms();
    dialog.phase = Phase::established;
    // Kept until it is certain that the ACK has left.
    dialog.in_flight = {.invite = {}, .cseq = e.cseq};
    next.untidy = true;
    base::Status applied;
    if (dialog.remote_tag.empty()) { // as from before RFC 3261 (§12.1.2)
        next.state = State::ending;
        dialog.phase = Phase::ending;
        result.effects = {
            effect::Forget{}, effect::Acknowledge{}, effect::SendBye{}, effect::CloseMedia{},
            effect::Tell{.news = News::failed, .detail = "the other end's answer has no tag"}};
        settle(result, Verdict::finished, "its answer has no tag");
        return result;
    }
    if (e.answer) {
        applied = apply(next, *e.answer);
    } else if (dialog.remote_sdp.empty()) { // else a 1xx has brought the answer
        applied = base::fail(base::Errc::unsupported, "the peer's 200 has no answer to our offer");
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
    next.challenges = 0;
    next.last_status = 0;
    next.last_reason.clear();
    static_cast<void>(note_cseq(next, e.cseq));
    next.dialog.in_flight.reoffer = false;
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
        result.effects.emplace_back(effect::Tell{.news = News::refreshed});
    }
    return result;
}

// The peer knows the dialog; we only cannot refresh it. Back into quarantine, by a new birth,
// because the stack keeps the challenged INVITE pending.
void back_into_quarantine(Step& result, const event::Challenged& e) {
    Call& next = result.call;
    next.state = State::restoring;
    next.cseq_base = e.cseq;
    next.resume_when_ready = false;
    result.effects = {effect::Dispose{}};
    if (note_cseq(next, e.cseq + cseq_block / 10)) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.effects.emplace_back(effect::Restore{});
    result.effects.emplace_back(
        effect::Tell{.news = News::refused, .status = e.status, .detail = next.last_reason});
    settle(result, Verdict::lost, next.last_reason);
}

// Our 2xx has its ACK.
Step answer_acknowledged(const Call& call, const std::string& local_sdp, bool differs) {
    Step result = stay(call);
    Call& next = result.call;
    if (call.hang_up_when_ready) {
        next.hang_up_when_ready = false;
        next.state = State::ending;
        next.dialog.phase = Phase::ending;
        next.dialog.in_flight = {};
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::SendBye{},
                          effect::CloseMedia{}};
        return result;
    }
    next.state = State::established;
    next.dialog.phase = Phase::established;
    next.dialog.in_flight = {};
    if (differs) {
        next.dialog.local_sdp = local_sdp;
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    } else {
        // Until then our 200 would be repeated after a restart, and acknowledged again.
        next.untidy = true;
        result.effects.emplace_back(effect::PersistSoon{});
    }
    result.effects.emplace_back(effect::Tell{.news = News::established});
    settle(result, Verdict::survived, "our answer is acknowledged");
    if (call.dialog.hold.remote) {
        result.effects.emplace_back(effect::Tell{.news = News::held, .detail = "remote"});
    }
    return result;
}

// What the ledger says of a restored call that has ended.
std::string ledger_reason(const Call& call, std::uint16_t status, const std::string& reason) {
    switch (call.state) {
    case State::inviting:
    case State::proceeding: return fmt::format("answered {} {}", status, reason);
    case State::canceling: return "it was canceled";
    case State::refusing: return "our answer was finished";
    default: return "our BYE was finished";
    }
}

// Our re-INVITE was refused and the call goes on as it was before (RFC 3261 §14.1, RFC 6141).
Step roll_back(const Call& call, base::Now /*now*/) {
    Step result = stay(call);
    Call& next = result.call;
    next.dialog.local_sdp = call.agreed_sdp;
    next.dialog.hold.local = call.agreed_hold;
    next.dialog.in_flight.reoffer = false;
    next.state = State::established;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on},
                      effect::Tell{.news = News::refused,
                                   .status = call.last_status,
                                   .detail = call.last_reason}};
    return result;
}

} // namespace

Step on(const Call& call, const event::Progress& e, base::Now /*now*/) {
    Step result = stay(call);
    if (e.min_se_s > call.dialog.timer.min_se_s) {
        result.call.dialog.timer.min_se_s = e.min_se_s;
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
    // Early media: what rings or speaks before the 2xx. Nothing of it is stored: there is no call
    // yet that a restart could bring back.
    if (e.answer && apply(result.call, *e.answer)) {
        result.effects.emplace_back(effect::RunMedia{});
    }
    return result;
}

Step on(const Call& call, const event::Answered& e, base::Now now) {
    switch (call.state) {
    case State::inviting:
    case State::proceeding:
    case State::canceling: return first_answer(call, e, now);
    case State::established:
    case State::modifying: {
        if (e.from_stand_in) { // late: sent before the quarantine ended
            Step result = stay(call);
            result.effects = {effect::AcknowledgeStandIn{}};
            return result;
        }
        return later_answer(call, e, now);
    }
    case State::restoring:
    case State::replaying:
    case State::restored:
    case State::resuming:
    case State::detour:
    case State::retrying: return resume_answered(call, e, now);
    case State::ending: {
        // RFC 3261 §13.2.2.4: every 2xx is ACKed, also when our BYE is already under way.
        Step result = stay(call);
        if (e.from_stand_in) {
            result.effects = {effect::AcknowledgeStandIn{}};
        } else {
            result.effects = {effect::Acknowledge{}};
        }
        return result;
    }
    case State::idle:
    case State::alerting:
    case State::answering:
    case State::refusing:
    case State::rebirth:
    case State::over: return stay(call);
    }
    return stay(call);
}

Step on(const Call& call, const event::Challenged& e, base::Now /*now*/) {
    Step result = stay(call);
    Call& next = result.call;
    next.challenges += 1;
    next.last_status = e.status;
    const bool may_answer = e.have_credentials && next.challenges <= challenges_max;
    next.last_reason = may_answer ? "Unauthorized"
                       : e.have_credentials
                           ? fmt::format("credentials for realm \"{}\" refused", e.realm)
                           : fmt::format("no credentials for realm \"{}\"; give them "
                                         "with --credentials FILE",
                                         e.realm);
    if (note_cseq(next, e.cseq)) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    if (may_answer && call.state != State::canceling) {
        result.effects.emplace_back(effect::Authenticate{});
        return result;
    }
    switch (call.state) {
    case State::canceling:
        // The challenge has ended the INVITE, and nobody wants it repeated.
        result.effects = {effect::Dispose{},
                          effect::Tell{.news = News::ended, .status = 487, .detail = "local"}};
        finish(result, "it was canceled");
        return result;
    case State::inviting:
    case State::proceeding:
        result.effects = {
            effect::Dispose{},
            effect::Tell{.news = News::failed, .status = e.status, .detail = next.last_reason}};
        finish(result, next.last_reason);
        return result;
    case State::resuming: back_into_quarantine(result, e); return result;
    case State::idle:
    case State::alerting:
    case State::answering:
    case State::refusing:
    case State::established:
    case State::modifying:
    case State::ending:
    case State::restoring:
    case State::replaying:
    case State::restored:
    case State::detour:
    case State::retrying:
    case State::rebirth:
    case State::over:
        result.effects = {
            effect::Tell{.news = News::refused, .status = e.status, .detail = next.last_reason}};
        return result;
    }
    return result;
}

Step on(const Call& call, const event::Failed& e, base::Now /*now*/) {
    Step result = stay(call);
    Call& next = result.call;
    next.last_status = e.status;
    next.last_reason = e.reason;
    next.retry_after_s = e.retry_after_s;
    if (e.min_se_s > next.dialog.timer.min_se_s) {
        next.dialog.timer.min_se_s = e.min_se_s;
    }
    if (note_cseq(next, e.cseq) && call.state != State::over) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    if (e.status == 491 && call.state == State::modifying) {
        // The peer's own offer may come first: it is answered from what both have agreed on.
        next.dialog.local_sdp = call.agreed_sdp;
        next.dialog.hold.local = call.agreed_hold;
        next.glare_retry = true;
        result.effects.emplace_back(effect::StartRetryTimer{.delay_ms = glare_delay_ms(next)});
    }
    return result;
}

Step on(const Call& call, const event::Ready& e, base::Now now) {
    // The stack's answer may not be what was predicted: what the peer has seen counts.
    const bool differs = !e.local_sdp.empty() && e.local_sdp != call.dialog.local_sdp;
    switch (call.state) {
    case State::modifying:
        // After a refusal; a 2xx has brought us to `established` before this.
        if (call.glare_retry) {
            Step result = stay(call); // as it was before the offer, which the timer makes again
            result.call.state = State::established;
            result.call.dialog.in_flight.reoffer = false;
            return result;
        }
        return call.last_status >= 300 ? roll_back(call, now) : stay(call);
    case State::answering: return answer_acknowledged(call, e.local_sdp, differs);
    case State::refusing: { // a refused INVITE leaves a restored dialog as it was
        Step result = stay(call);
        finish(result, "our answer was finished");
        return result;
    }
    case State::restoring:
    case State::restored:
    case State::resuming:
    case State::detour: return resume_ready(call, now);
    case State::established: {
        Step result = stay(call);
        if (differs) {
            result.call.dialog.local_sdp = e.local_sdp;
            result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
        } else if (call.untidy) { // the ACK has left
            result.effects = {effect::PersistSoon{}};
        }
        return result;
    }
    case State::idle:
    case State::inviting:
    case State::proceeding:
    case State::canceling:
    case State::alerting:
    case State::ending:
    case State::replaying:
    case State::retrying:
    case State::rebirth:
    case State::over: return stay(call);
    }
    return stay(call);
}

Step on(const Call& call, const event::Terminated& e, base::Now now) {
    if (call.state == State::over || call.state == State::rebirth || call.state == State::idle) {
        return stay(call);
    }
    if (is_coming_back(call.state)) {
        return resume_terminated(call, e, now);
    }
    if (call.state == State::ending && !call.bye_done && !call.bye_again &&
        !call.dialog.remote_tag.empty()) {
        return say_bye_again(call);
    }
    Step result = stay(call);
    const std::uint16_t status = call.last_status >= 300 ? call.last_status : e.status;
    const std::string& reason = call.last_status >= 300 ? call.last_reason : e.reason;
    switch (call.state) {
    case State::inviting:
    case State::proceeding:
        result.effects = {effect::Tell{.news = News::failed, .status = status, .detail = reason}};
        break;
    case State::canceling:
        result.effects = {effect::Tell{.news = News::ended, .status = 487, .detail = "local"}};
        break;
    case State::ending:
        result.effects = {effect::Tell{.news = News::ended, .detail = "local"}};
        break;
    case State::refusing: break; // it has been told
    case State::alerting:
    case State::answering:
    case State::established:
    case State::modifying:
        // Nobody asked for it: the session timer ran out, or the ACK never came.
        result.effects = {
            status >= 300 ? effect::Tell{.news = News::ended, .status = status, .detail = reason}
                          : effect::Tell{.news = News::ended, .detail = "timer"}};
        break;
    case State::idle:
    case State::restoring:
    case State::replaying:
    case State::restored:
    case State::resuming:
    case State::detour:
    case State::retrying:
    case State::rebirth:
    case State::over: break;
    }
    if (call.state == State::inviting && status == 408) {
        settle(result, Verdict::lost, "no answer to the INVITE");
    }
    finish(result, ledger_reason(call, status, reason));
    return result;
}

Step on(const Call& call, const event::RequestDone& e, base::Now /*now*/) {
    Step result = stay(call);
    const bool reserve = note_cseq(result.call, e.cseq);
    if (reserve && call.state != State::over) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.call.challenges = 0;
    if (e.method == "BYE") {
        constexpr std::uint16_t no_answer = 408;
        constexpr std::uint16_t unreachable = 503;
        result.call.bye_done = e.cseq != 0 || e.status == no_answer || e.status == unreachable;
    }
    // UPDATE is the stack's own refresh, BYE has its own news.
    if ((e.method == "INFO" || e.method == "OPTIONS") && !e.from_stand_in) {
        result.call.request_status = e.status;
        result.call.requests_open -= call.requests_open > 0 ? 1 : 0;
        result.effects.emplace_back(effect::Tell{
            .news = News::requested, .status = e.status, .detail = e.method + " " + e.reason});
    }
    return result;
}

} // namespace revenant::call
