// Our BYE when the stack has given the dialog up: the dialog is made anew, to say it in.
#include "call/steps.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

// Persist, Dispose and Restore; the dialog hangs up as soon as it is there.
Step made_anew_to_hang_up(const Call& call) {
    Step result = stay(call);
    Call& next = result.call;
    next.state = State::restoring;
    next.hang_up_when_ready = true;
    next.resume_when_ready = false;
    next.in_the_way = 0; // it goes with the dialog in the stack
    next.offer_waits = false;
    next.dialog.phase = Phase::ending;
    next.dialog.in_flight = {};
    // Above all that this life may have used, whichever way it began.
    next.cseq_base = next.dialog.cseq_watermark;
    next.dialog.cseq_watermark = next.cseq_base + cseq_block;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::Dispose{},
                      effect::Restore{}};
    return result;
}

} // namespace

Step end_unreadable(const Call& call, const event::Answered& e) {
    Call seen = call;
    static_cast<void>(note_cseq(seen, e.cseq)); // stored with the rest
    Step result = made_anew_to_hang_up(seen);
    result.effects.insert(result.effects.begin() + 1, effect::AcknowledgeAgain{.cseq = e.cseq});
    result.effects.emplace_back(effect::CloseMedia{});
    result.effects.emplace_back(effect::Tell{
        .news = News::trouble, .detail = "the other end's answer cannot be read; hanging up"});
    settle(result, Verdict::finished, "its answer could not be read");
    return result;
}

Step say_bye_again(const Call& call) {
    Step result = made_anew_to_hang_up(call);
    result.call.bye_again = true;
    return result;
}

} // namespace revenant::call
