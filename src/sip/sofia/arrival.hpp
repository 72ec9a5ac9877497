// Over which of our listeners a message has come in, and where requests can be sent from that one:
// the dialog that the message makes stays with its listener.
#pragma once

#include <optional>
#include <string_view>

#include "revenant/call/transport.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// What the agent's listener reaches; until it is told, everything. `has_proxy`: what begins a
// dialog from there goes to an outbound proxy.
void tell_reach(const nta_agent_t* agent, const Reach& reach, bool has_proxy);
void forget_reach(const nta_agent_t* agent);

// What the Contact or Record-Route of the message that is being delivered must be within;
// everything, when it does not matter.
[[nodiscard]] Reach reach_of(const sip_t& sip);

// By which transport a request has come: the stack drops one whose topmost Via says another.
// Nothing: by one that is no transport of ours.
[[nodiscard]] std::optional<call::Transport> transport_of(const sip_via_t* via);

} // namespace revenant::sip
