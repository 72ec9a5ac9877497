#include "sip/sofia/arrival.hpp"

#include <string_view>
#include <unordered_map>

#include <sofia-sip/nta_tport.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/multipart.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/our_dialogs.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

struct Listener {
    Reach reach;
    bool has_proxy = false;
};

std::unordered_map<const nta_agent_t*, Listener>& listeners() {
    static std::unordered_map<const nta_agent_t*, Listener> all;
    return all;
}

// Along a route set, or to an outbound proxy: not to the Contact of the dialog's other end. What
// makes a dialog goes to the proxy that new ones have.
bool goes_elsewhere(const sip_t& sip, bool new_ones_do) {
    const sip_addr_t* ours = sip.sip_request != nullptr ? sip.sip_to : sip.sip_from;
    const call::Dialog* dialog = our_dialog(text_of(sip.sip_call_id->i_id), text_of(ours->a_tag));
    return dialog != nullptr ? !dialog->route_set.empty() || !dialog->outbound_proxy.empty()
                             : new_ones_do;
}

} // namespace

void tell_reach(const nta_agent_t* agent, const Reach& reach, bool has_proxy) {
    listeners()[agent] = {.reach = reach, .has_proxy = has_proxy};
}

void forget_reach(const nta_agent_t* agent) {
    listeners().erase(agent);
}

Reach reach_of(const sip_t& sip) {
    if (hooks.delivery == nullptr) {
        return {};
    }
    for (const auto& [agent, listener] : listeners()) {
        const tport_t* transports = nta_agent_tports(const_cast<nta_agent_t*>(agent));
        if (tport_delivered_by(transports, hooks.delivery->message) != nullptr) {
            // A stand-in says what a record does, which has its listener.
            const bool matters = !is_within(sip, listener.reach) && !is_from_any_stand_in(sip) &&
                                 !goes_elsewhere(sip, listener.has_proxy);
            return matters ? listener.reach : Reach{};
        }
    }
    return {};
}

std::optional<call::Transport> transport_of(const sip_via_t* via) {
    if (via == nullptr || via->v_protocol == nullptr) {
        return std::nullopt;
    }
    const std::string_view protocol{via->v_protocol};
    if (base::equals_ignoring_case(protocol, "SIP/2.0/UDP")) {
        return call::Transport::udp;
    }
    if (base::equals_ignoring_case(protocol, "SIP/2.0/TCP")) {
        return call::Transport::tcp;
    }
    if (base::equals_ignoring_case(protocol, "SIP/2.0/TLS")) {
        return call::Transport::tls;
    }
    return std::nullopt;
}

// ---- In front of the library's function --------------------------------------------------------

namespace {

// Reads what has come in; positive when that is a whole message, on which nothing has acted yet.
int extract(msg_t* message) {
    const int result = hooks.msg_extract.own()(message);
    if (result > 0) {
        base::at_boundary("a multipart body", [&] { keep_description_only(message); });
    }
    return result;
}

const Standing arrivals{hooks.msg_extract, extract};

} // namespace

} // namespace revenant::sip
