// What the stack says when something is done: an INVITE of either side (Ready), another request, or
// the whole dialog (Terminated).
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

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

effect::Tell end_by_stack(const event::Terminated& e) {
    if (e.status < 300) { // to its BYE; it has not said why
        return {.news = News::ended, .detail = "timer"};
    }
    constexpr std::uint16_t no_answer_in_ack = 488;
    constexpr std::uint16_t no_ack = 408;
    return {.news = News::ended,
            .status = e.status,
            .detail = "failure",
            .why = e.status == no_answer_in_ack ? "the other end has not answered our offer"
                   : e.status == no_ack         ? "the other end has not acknowledged our answer"
                                                : e.reason};
}

// What the ledger says of a restored call that has ended.
std::string ledger_reason(const Call& call, std::uint16_t status, const std::string& reason) {
    if (call.state == State::canceling) {
        return "it was canceled";
    }
    if (traits(call.state).is_inviting) {
        return call.last_is_local ? reason : fmt::format("answered {} {}", status, reason);
    }
    return call.state == State::refusing ? "our answer was finished" : "our BYE was finished";
}

} // namespace

Step on(const Call& call, const event::Ready& e, base::Now now) {
    // The stack's answer may not be what was predicted: what the peer has seen counts.
    const bool differs = !e.local_sdp.empty() && e.local_sdp != call.dialog.local_sdp;
    switch (call.state) {
    case State::modifying:
        // After a refusal; a 2xx has brought us to `established` before this.
        if (call.offer_waits) { // it was no answer to that
            return stay(call);
        }
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
    case State::over: return stay(call);
    }
    return stay(call);
}

Step on(const Call& call, const event::Terminated& e, base::Now now) {
    if (call.state == State::over || call.state == State::idle) {
        return stay(call);
    }
    if (traits(call.state).is_coming_back) {
        return resume_terminated(call, e, now);
    }
    if (call.state == State::ending && !call.bye_done && !call.bye_again &&
        !call.dialog.remote_tag.empty()) {
        return say_bye_again(call);
    }
    Step result = stay(call);
    const std::uint16_t status = call.last_status >= 300 ? call.last_status : e.status;
    const std::string& reason = call.last_status >= 300 ? call.last_reason : e.reason;
    if (call.state == State::canceling) {
        result.effects = {effect::Tell{.news = News::ended, .status = 487, .detail = "local"}};
    } else if (traits(call.state).is_inviting) {
        result.effects = {effect::Tell{.news = News::failed, .status = status, .detail = reason}};
    } else if (call.state == State::ending && !call.ending.is_told) {
        result.effects = {effect::Tell{.news = News::ended,
                                       .status = call.ending.status,
                                       .detail = call.ending.by,
                                       .why = call.ending.reason}};
    } else if (call.state == State::alerting || traits(call.state).has_dialog) {
        // Nobody asked for it: the stack has said BYE by itself.
        result.effects = {end_by_stack(e)};
    }
    if (call.state == State::inviting && status == 408) {
        settle(result, Verdict::lost, "no answer to the INVITE");
    }
    finish(result, ledger_reason(call, status, reason));
    return result;
}

Step on(const Call& call, const event::RequestDone& e, base::Now now) {
    Step result = stay(call);
    const bool reserve = note_cseq(result.call, e.cseq);
    if (is_in_the_way(e) && call.in_the_way > 0) {
        result.call.in_the_way -= 1;
    }
    if (reserve && call.state != State::over) {
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    if (e.method == "BYE") {
        constexpr std::uint16_t no_answer = 408;
        constexpr std::uint16_t unreachable = 503;
        result.call.bye_done = e.cseq != 0 || e.status == no_answer || e.status == unreachable;
    }
    if (e.method == "PRACK") {
        note_prack_answer(result, e);
    }
    // UPDATE is the stack's own refresh, BYE has its own news.
    if ((e.method == "INFO" || e.method == "OPTIONS") && !e.from_stand_in) {
        result.call.request_status = e.status;
        result.call.request_reason = e.reason;
        result.call.request_is_local = e.is_local;
        result.call.requests_open -= call.requests_open > 0 ? 1 : 0;
        // With several under way it is not known which one this answers.
        const bool is_only_one = call.requests_open == 1 && !e.is_local;
        result.effects.emplace_back(
            effect::Tell{.news = News::requested,
                         .status = e.status,
                         .detail = e.method + " " + e.reason,
                         .round_trip_ms = is_only_one ? now.boot_ms() - call.request_asked_ms : -1,
                         .allow = e.allow});
        if (traits(call.state).is_up && ends_dialog(e.status, e.is_local)) {
            result.call.ending = {.by = "refusal", .status = e.status, .reason = e.reason};
            hang_up(result);
        }
    }
    make_offer_that_waits(result);
    return result;
}

} // namespace revenant::call
