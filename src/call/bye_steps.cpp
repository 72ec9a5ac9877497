// Our BYE when the stack has given the dialog up: the dialog is made anew, to say it in.
#include <vector>

#include "call/steps.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

namespace {

// The dialog hangs up as soon as it is there. `last`: what is said in the one that goes.
void make_anew_to_hang_up(Step& result, const std::vector<Effect>& last) {
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
    result.effects.emplace_back(effect::Persist{.otherwise = effect::Otherwise::go_on});
    result.effects.insert(result.effects.end(), last.begin(), last.end());
    result.effects.emplace_back(effect::Dispose{});
    result.effects.emplace_back(effect::Restore{});
}

} // namespace

Step end_unreadable(const Call& call, const event::Answered& e) {
    Step result = stay(call);
    static_cast<void>(note_cseq(result.call, e.cseq)); // stored with the rest
    make_anew_to_hang_up(result, {effect::AcknowledgeAgain{.cseq = e.cseq}});
    result.effects.emplace_back(effect::CloseMedia{});
    result.effects.emplace_back(effect::Tell{
        .news = News::trouble, .detail = "the other end's answer cannot be read; hanging up"});
    settle(result, Verdict::finished, "its answer could not be read");
    return result;
}

Step say_bye_again(const Call& call) {
    Step result = stay(call);
    make_anew_to_hang_up(result, {});
    result.call.bye_again = true;
    return result;
}

} // namespace revenant::call
