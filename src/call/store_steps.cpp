// The record: it could not be stored, or there is time for what was left for later.
#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::call {

Step on(const Call& call, const event::StoreFailed& e, base::Now /*now*/) {
    Step result = stay(call);
    Call& next = result.call;
    if (traits(call.state).is_inviting) {
        // The peer's 2xx: ACK and BYE (RFC 3261 §13.2.2.4).
        next.state = State::ending;
        result.effects = {effect::Acknowledge{}, effect::SendBye{}, effect::CloseMedia{},
                          effect::Tell{.news = News::failed, .status = 0, .detail = e.why}};
    } else if (call.state == State::idle) {
        // An INVITE that came in.
        next.state = State::over;
        result.effects = {effect::Respond{.status = 500}, effect::CloseMedia{},
                          effect::Tell{.news = News::failed, .status = 500, .detail = e.why}};
    } else if (traits(call.state).has_dialog) {
        // The peer's re-INVITE, UPDATE or INFO: refused, so the stored description stays true.
        result.effects = {effect::Reply{.status = 500, .with_sdp = false},
                          effect::Tell{.news = News::trouble, .status = 500, .detail = e.why}};
    } else {
        result.effects = {effect::Tell{.news = News::trouble, .status = 0, .detail = e.why}};
    }
    return result;
}

Step on(const Call& call, const event::Quiet& /*e*/, base::Now /*now*/) {
    Step result = stay(call);
    const bool is_unsaved = call.unsaved && traits(call.state).has_dialog;
    result.call.unsaved = false;
    if ((!call.untidy && !is_unsaved) || call.state == State::over) {
        return result;
    }
    if (call.untidy) {
        result.call.untidy = false;
        const bool reoffer = call.dialog.in_flight.reoffer;
        result.call.dialog.in_flight = {};
        result.call.dialog.in_flight.reoffer = reoffer;
    }
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
    return result;
}

} // namespace revenant::call
