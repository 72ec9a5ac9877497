// INVITEs that an earlier life has left without a final answer or without its ACK. One that we have
// sent goes out once more with the same branch, and the peer takes it for a retransmission (RFC
// 3261 §17.2.3). One that we have got is stored as it came in; it comes in once more, into the
// restored dialog, and our answer goes where the first would have gone (§18.2.2).
#include <cstdint>
#include <string>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

// 64*T1: for so long a 2xx is repeated, and its ACK waited for (RFC 3261 §13.3.1.4).
constexpr std::int64_t answer_life_ms = 32'000;

} // namespace

Step repeat_invite(const Call& call) {
    Step result = stay(call);
    Call& next = result.call;
    if (call.dialog.in_flight.cseq == 0) { // an earlier version has not said which
        settle(result, Verdict::lost, "it was still ringing at the other end");
        finish(result, {});
        return result;
    }
    next.dialog.remote_tag.clear(); // a 1xx has brought it; the INVITE had none
    next.state = call.dialog.in_flight.canceled ? State::canceling : State::inviting;
    result.effects = {effect::RepeatInvite{}};
    if (call.dialog.in_flight.canceled) {
        result.effects.emplace_back(effect::SendCancel{});
    }
    result.effects.emplace_back(effect::Tell{.news = News::calling, .detail = "again"});
    return result;
}

bool must_replay(const Dialog& dialog, const event::Restore& e, base::Now now) {
    // Over a connection that is gone its answer finds nobody: the caller has given up with it.
    if (dialog.in_flight.invite.empty() || !e.can_hear_caller) {
        return false;
    }
    const bool is_fresh = now.boot_ms() - dialog.boot.established_ms < answer_life_ms;
    switch (dialog.phase) {
    case Phase::ringing: return true;
    // Later the peer is as sure of the call as it will ever be.
    case Phase::answered: return is_fresh;
    // Our refusal, or a BYE that has to wait for the ACK.
    case Phase::ending: return dialog.in_flight.status != 0 || is_fresh;
    case Phase::inviting:
    case Phase::established: return false;
    }
    return false;
}

Step replayed(const Call& call, const event::Offered& e, base::Now now) {
    Step result = stay(call);
    Call& next = result.call;
    const InFlight& in_flight = call.dialog.in_flight;
    if (in_flight.status != 0) {
        next.state = State::refusing;
        result.effects = {effect::Respond{.status = in_flight.status}};
        return result;
    }
    next.has_offer = e.offer.has_value();
    if (e.offer) {
        next.offer = *e.offer;
    }
    if (call.dialog.phase == Phase::ringing) {
        next.state = State::alerting;
        if (has_rung_enough(call.dialog, now)) { // while there was no process
            result = on(result.call, event::RingDue{}, now);
            settle(result, Verdict::finished, "it has rung long enough");
            return result;
        }
        const bool is_pracked = !in_flight.prack.empty();
        const bool is_repeated = !is_stream(call.dialog.transport);
        if (is_repeated ||
            !is_pracked) { // else our 180 has arrived, and there is no PRACK to follow
            result.effects.emplace_back(effect::Respond{.status = 180});
        }
        if (is_repeated && is_pracked) {
            result.effects.emplace_back(effect::ReplayPrack{});
        }
        result.effects.emplace_back(effect::Tell{.news = News::incoming});
        ring_timer(result, now);
        settle(result, Verdict::survived, "it rings on");
        return result;
    }
    next.state = State::answering;
    if (e.reliable && in_flight.prack.empty()) { // our 200 has waited for it, and waits again
        result.effects = {effect::Respond{.status = 180}};
    }
    result.effects.emplace_back(effect::Respond{.status = 200});
    if (next.has_offer && !call.hang_up_when_ready) {
        result.effects.emplace_back(effect::RunMedia{});
    }
    return result;
}

Step on(const Call& call, const event::AnsweredBefore& e, base::Now /*now*/) {
    Step result = stay(call);
    if (call.state != State::idle && call.state != State::over) {
        result.effects = {effect::AcknowledgeAgain{.cseq = e.cseq}};
    }
    return result;
}

// Another server of the same name may be another INVITE's, and the callee would ring twice.
Step on(const Call& call, const event::Directed& e, base::Now /*now*/) {
    Step result = stay(call);
    const InFlight& in_flight = call.dialog.in_flight;
    if (traits(call.state).is_inviting && in_flight.cseq != 0 && in_flight.sent_to != e.to) {
        result.call.dialog.in_flight.sent_to = e.to;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
    }
    return result;
}

Step on(const Call& call, const event::Refused& e, base::Now /*now*/) {
    Step result = stay(call);
    if (call.dialog.phase != Phase::inviting || call.state == State::over) {
        return result;
    }
    // The callee forgets this INVITE with our ACK: repeated, it would ring again.
    const bool goes_on = e.status == 401 || e.status == 407 || e.status == 422;
    if (goes_on && call.state != State::canceling) {
        result.call.dialog.in_flight.cseq = e.next_cseq != 0 ? e.next_cseq : e.cseq + 1;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
    } else {
        result.effects = {effect::Forget{}};
    }
    return result;
}

} // namespace revenant::call
