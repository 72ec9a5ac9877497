// Reliable provisional responses (RFC 3262). A PRACK of ours keeps its number, so that saying it
// again after a restart is a retransmission. The caller's PRACK is stored as it came in, before our
// answer to it; after a restart it comes in again, behind the INVITE.
#include <cstdint>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

void acknowledge_progress(Step& result, const event::Progress& e) {
    if (e.rseq == 0 || e.prack_cseq == 0 || e.remote_tag.empty()) {
        return;
    }
    if (result.call.dialog.phase != Phase::inviting) { // after a restart comes another re-INVITE
        result.call.in_the_way += 1;
        result.effects.emplace_back(
            effect::SendPrack{.rseq = e.rseq, .invite_cseq = e.cseq, .cseq = e.prack_cseq});
        return;
    }
    SentPrack& prack = result.call.dialog.in_flight.prack_sent;
    const bool is_known = prack.rseq == e.rseq && prack.tag == e.remote_tag;
    if (is_known && prack.done) { // in an earlier life; the peer would refuse another
        return;
    }
    if (!is_known) {
        prack = {.tag = e.remote_tag, .rseq = e.rseq, .cseq = e.prack_cseq};
        static_cast<void>(note_cseq(result.call, prack.cseq));
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
    result.call.in_the_way += 1;
    result.effects.emplace_back(
        effect::SendPrack{.rseq = prack.rseq, .invite_cseq = e.cseq, .cseq = prack.cseq});
}

void note_prack_answer(Step& result, const event::RequestDone& e) {
    SentPrack& prack = result.call.dialog.in_flight.prack_sent;
    // 481: the peer waits for none, as it has had this one. A higher number: the same again, with
    // credentials.
    const bool is_settled = e.status / 100 == 2 || e.status == 481;
    if (prack.rseq != 0 && !prack.done && is_settled && e.cseq >= prack.cseq) {
        prack.done = true;
        result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    }
}

Step make_answered(Step result, base::Now now) {
    // The stack would end the call for want of an answer, or waits for that of another callee. It
    // gets to know this one from the stand-in.
    Call& next = result.call;
    next.state = State::restoring;
    next.in_the_way = 0; // it goes with the dialog in the stack
    next.resume_when_ready = true;
    next.resume_deadline_ms = now.boot_ms() + next.resume_window_ms;
    // Above all that this life may have used.
    next.cseq_base = next.dialog.cseq_watermark;
    next.dialog.cseq_watermark = next.cseq_base + cseq_block;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::report}, effect::Dispose{},
                      effect::RunMedia{}, effect::Restore{},
                      effect::Tell{.news = News::established}};
    return result;
}

Step on(const Call& call, const event::PeerPrack& e, base::Now /*now*/) {
    Step result = stay(call);
    Dialog& dialog = result.call.dialog;
    const bool is_awaited = call.state == State::alerting || call.state == State::answering;
    if (is_awaited && e.text != dialog.in_flight.prack) {
        dialog.in_flight.prack = e.text;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
    }
    return result;
}

} // namespace revenant::call
