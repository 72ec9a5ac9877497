#include "sip/sofia/arrival.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

#include <sofia-sip/nta_tport.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/text.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/multipart.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

std::unordered_map<const nta_agent_t*, Reach>& reaches() {
    static std::unordered_map<const nta_agent_t*, Reach> all;
    return all;
}

PathHint& path_hint() {
    static PathHint hint;
    return hint;
}

// The message that was read last; one that is delivered is. Only ever compared.
const msg_t* last_read = nullptr; // NOLINT(*-avoid-non-const-global-variables): set from C

bool goes_elsewhere(const sip_t& sip) {
    const sip_addr_t* ours = sip.sip_request != nullptr ? sip.sip_to : sip.sip_from;
    return path_hint() && path_hint()(text_of(sip.sip_call_id->i_id), text_of(ours->a_tag));
}

} // namespace

void tell_reach(const nta_agent_t* agent, const Reach& reach) {
    reaches()[agent] = reach;
}

void forget_reach(const nta_agent_t* agent) {
    reaches().erase(agent);
}

void set_path_hint(PathHint hint) {
    path_hint() = std::move(hint);
}

Reach reach_of(const sip_t& sip) {
    for (const auto& [agent, reach] : reaches()) {
        const tport_t* listeners = nta_agent_tports(const_cast<nta_agent_t*>(agent));
        if (tport_delivered_by(listeners, last_read) != nullptr) {
            // A stand-in says what a record does, which has its listener.
            const bool matters =
                !is_within(sip, reach) && !is_from_any_stand_in(sip) && !goes_elsewhere(sip);
            return matters ? reach : Reach{};
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
        last_read = message;
        base::at_boundary("a multipart body", [&] { keep_description_only(message); });
    }
    return result;
}

const Standing arrivals{hooks.msg_extract, extract};

} // namespace

} // namespace revenant::sip
