#include "sip/sofia/request_order.hpp"

#include <utility>

#include "revenant/base/in_hand.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/interpose/under_way.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/whose_turn.hpp"

namespace revenant::sip {

namespace {

// The library says BYE from within a refresh, when the session has run out.
using AtOnce = UnderWay<bool, Nesting::allowed>;

} // namespace

bool RequestOrder::answered() {
    if (unanswered_ == 0) {
        return false;
    }
    unanswered_ -= 1;
    return unanswered_ == 0 && offer_waits_;
}

bool RequestOrder::may_offer() {
    offer_waits_ = unanswered_ > 0;
    return !offer_waits_;
}

bool RequestOrder::is_first_bye() {
    return !std::exchange(bye_said_, true);
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

int queue_request(nua_client_request* request) {
    const int is_behind_another = hooks.nua_client_request_queue.own()(request);
    return hooks.asks_at_once ? 0 : is_behind_another;
}

int say_bye(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    Leg* leg = leg_of(handle);
    const AtOnce at_once{hooks.asks_at_once, leg != nullptr && leg->order.is_first_bye()};
    return hooks.nua_stack_bye.own()(nua, handle, event, tags);
}

// Begun only while no INVITE of ours is under way; of other usages a request may be.
void refresh(nua_handle_t* handle,
             nua_dialog_state* dialog,
             nua_dialog_usage* usage,
             sip_time_t now) {
    const base::InHand hand{call_of(handle)};
    const AtOnce at_once{hooks.asks_at_once, nua_handle_has_invite(handle) != 0};
    hooks.nua_dialog_usage_refresh.own()(handle, dialog, usage, now);
}

const Standing queue{hooks.nua_client_request_queue, queue_request};
const Standing byes{hooks.nua_stack_bye, say_bye};
const Standing refreshes{hooks.nua_dialog_usage_refresh, refresh};

} // namespace

} // namespace revenant::sip
