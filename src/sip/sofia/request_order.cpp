#include "sip/sofia/request_order.hpp"

#include <utility>
#include <vector>

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

void say_bye(const Leg& leg) {
    nua_bye(leg.handle(), TAG_END());
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

int queue_request(nua_client_request* request) {
    const int is_behind_another = hooks.nua_client_request_queue.own()(request);
    return hooks.asks_at_once ? 0 : is_behind_another;
}

int take_bye_up(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    Leg* leg = leg_of(handle);
    const bool is_first = leg != nullptr && !std::exchange(leg->has_begun_bye, true);
    const AtOnce at_once{hooks.asks_at_once, is_first};
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

// ---- The end of a call ----

// A call that ends while an INVITE of ours in it has no answer. `nua_session_usage_remove` takes a
// reference to each INVITE that waits, passes over the one that is under way, and keeps that
// reference for ever (nua_session.c:262, 273): the request, its message and the handle stay in
// memory. The request is then taken off the usage, as the first thing that happens to it, and here
// the reference is given back.
using References = std::vector<nua_client_request*>;
using TakingDown = UnderWay<References*, Nesting::allowed>;

void remove_usage(nua_handle_t* handle,
                  nua_dialog_state* dialog,
                  nua_dialog_usage* usage,
                  nua_client_request* ours,
                  nua_server_request* theirs) {
    References requests;
    const TakingDown taking_down{hooks.referred_to, &requests};
    hooks.nua_dialog_usage_remove.own()(handle, dialog, usage, ours, theirs);
}

void end_dialog(nua_handle_t* handle, nua_dialog_state* dialog) {
    References requests;
    const TakingDown taking_down{hooks.referred_to, &requests};
    hooks.nua_dialog_deinit.own()(handle, dialog);
}

nua_client_request* refer_to(nua_client_request* request) {
    if (hooks.referred_to != nullptr) {
        hooks.referred_to->push_back(request);
    }
    return hooks.nua_client_request_ref.own()(request);
}

// True when there was a reference that has not been given back.
bool forget_reference(nua_client_request* request) {
    return hooks.referred_to != nullptr && std::erase(*hooks.referred_to, request) > 0;
}

int give_back(nua_client_request* request) {
    forget_reference(request);
    return hooks.nua_client_request_unref.own()(request);
}

int bind_request(nua_client_request* request, nua_dialog_usage* usage) {
    const bool is_lost = usage == nullptr && forget_reference(request);
    const int result = hooks.nua_client_bind.own()(request, usage);
    if (is_lost) {
        hooks.nua_client_request_unref.own()(request);
    }
    return result;
}

const Standing queue{hooks.nua_client_request_queue, queue_request};
const Standing byes{hooks.nua_stack_bye, take_bye_up};
const Standing refreshes{hooks.nua_dialog_usage_refresh, refresh};
const Standing removals{hooks.nua_dialog_usage_remove, remove_usage};
const Standing ends{hooks.nua_dialog_deinit, end_dialog};
const Standing references{hooks.nua_client_request_ref, refer_to};
const Standing returns{hooks.nua_client_request_unref, give_back};
const Standing bindings{hooks.nua_client_bind, bind_request};

} // namespace

} // namespace revenant::sip
