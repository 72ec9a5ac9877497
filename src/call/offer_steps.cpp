// Our offers in a call that is up: hold, unhold, a refresh of the session. The stack sends one
// request but INVITE at a time, and a re-INVITE that is given to it meanwhile stays behind that one
// for ever. So none is made before the INFO, OPTIONS and PRACK that went before are answered.
#include <cstdint>
#include <string>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

// What there is, or will be, to go back to.
Step begin_offer(const Call& call) {
    Step result = stay(call);
    Call& next = result.call;
    next.agreed_sdp = call.dialog.local_sdp;
    next.agreed_hold = call.dialog.hold.local;
    next.offered_hold = call.dialog.hold.local;
    next.last_status = 0;
    next.state = State::modifying;
    return result;
}

void make_offer(Step& result) {
    result.call.offer_waits = result.call.in_the_way > 0;
    if (!result.call.offer_waits) {
        result.effects.emplace_back(effect::Reoffer{});
    }
}

} // namespace

Step offer_hold(const Call& call, bool hold) {
    Step result = begin_offer(call);
    Call& next = result.call;
    next.offered_hold = hold;
    next.dialog.hold.local = hold;
    next.dialog.local_sdp = redirect(call.dialog.local_sdp, wanted(next.dialog.hold));
    next.dialog.in_flight.reoffer = true;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::abandon}};
    make_offer(result);
    return result;
}

Step refresh(const Call& call) {
    Step result = begin_offer(call);
    make_offer(result);
    return result;
}

bool is_in_the_way(const event::RequestDone& e) {
    return e.method == "INFO" || e.method == "OPTIONS" || e.method == "PRACK";
}

void make_offer_that_waits(Step& result) {
    Call& next = result.call;
    if (next.offer_waits && next.in_the_way == 0) {
        next.last_status = 0;
        make_offer(result);
    }
}

Step refreshed_before_offer(const Call& call, const event::Answered& e, base::Now now) {
    if (is_unreadable(e.answer)) {
        return end_unreadable(call, e);
    }
    Step result = stay(call);
    Call& next = result.call;
    // Its description changes nothing: the offer that waits gets one that counts.
    learn(next.dialog, e.facts, now);
    static_cast<void>(note_cseq(next, e.cseq));
    next.refresh_due = false;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::Acknowledge{},
                      effect::Tell{.news = News::refreshed}};
    tell_fault(result, e);
    return result;
}

} // namespace revenant::call
