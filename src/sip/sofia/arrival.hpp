// Over which of our listeners a message has come in, and what requests can be sent to from there:
// the dialog that it makes stays with that listener.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "revenant/call/transport.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// What the agent's listener reaches; until it is told, everything.
void tell_reach(const nta_agent_t* agent, const Reach& reach);
void forget_reach(const nta_agent_t* agent);

// Whether requests of this dialog, by Call-ID and our tag, go somewhere else than to the Contact of
// its other end: along its route set, or to an outbound proxy. Of one that is not known: whether
// those of new ones do.
using PathHint = std::function<bool(std::string_view call_id, std::string_view tag)>;

// Whoever gives it takes it back with an empty one.
void set_path_hint(PathHint hint);

// What the Contact or Record-Route of the message that is being delivered must be within;
// everything, when it does not matter.
[[nodiscard]] Reach reach_of(const sip_t& sip);

// By which transport a request has come: the stack drops one whose topmost Via says another.
// Nothing: by one that is no transport of ours.
[[nodiscard]] std::optional<call::Transport> transport_of(const sip_via_t* via);

} // namespace revenant::sip
