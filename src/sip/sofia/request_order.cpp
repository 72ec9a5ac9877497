#include "sip/sofia/request_order.hpp"

#include <utility>

#include "revenant/base/in_hand.hpp"
#include "sip/interpose/next_function.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/whose_turn.hpp"

namespace revenant::sip {

namespace {

bool waits_for_none = false; // NOLINT(*-avoid-non-const-global-variables): set from C

// What is said in its lifetime is not put behind another request.
class WaitsForNone {
public:
    explicit WaitsForNone(bool holds) : before_{std::exchange(waits_for_none, holds)} {}

    WaitsForNone(const WaitsForNone&) = delete;
    WaitsForNone& operator=(const WaitsForNone&) = delete;

    ~WaitsForNone() { waits_for_none = before_; }

private:
    bool before_;
};

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

} // namespace revenant::sip

// ---- What the library reaches in place of its own ---------------------------------------------

extern "C" {

struct nua_client_request;
struct nua_dialog_state;
struct nua_dialog_usage;

int nua_client_request_queue(nua_client_request* request) {
    using namespace revenant::sip;
    static auto* const real = next_function<int(nua_client_request*)>("nua_client_request_queue");
    const int is_behind_another = real(request);
    return waits_for_none ? 0 : is_behind_another;
}

int nua_stack_bye(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    using namespace revenant::sip;
    static auto* const real =
        next_function<int(nua_t*, nua_handle_t*, nua_event_t, const tagi_t*)>("nua_stack_bye");
    Leg* leg = nua_handle_magic(handle);
    const WaitsForNone at_once{leg != nullptr && leg->order.is_first_bye()};
    return real(nua, handle, event, tags);
}

// Begun only while no INVITE of ours is under way; of other usages a request may be.
void nua_dialog_usage_refresh(nua_handle_t* handle,
                              nua_dialog_state* dialog,
                              nua_dialog_usage* usage,
                              sip_time_t now) {
    using namespace revenant;
    using namespace revenant::sip;
    static auto* const real =
        next_function<void(nua_handle_t*, nua_dialog_state*, nua_dialog_usage*, sip_time_t)>(
            "nua_dialog_usage_refresh");
    const base::InHand hand{call_of(handle)};
    const WaitsForNone at_once{nua_handle_has_invite(handle) != 0};
    real(handle, dialog, usage, now);
}

} // extern "C"
