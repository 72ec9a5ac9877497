// A request that waits for its answer: the stack's message, which stays for as long as somebody
// holds a reference to it. nua_respond finds the transaction by the message's address, so a bare
// pointer might find a later request at the same one.
#pragma once

#include "revenant/call/event.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Nothing for no message.
[[nodiscard]] call::RequestRef kept_request(msg_t* message);

// For NUTAG_WITH; null for nothing.
[[nodiscard]] msg_t* message_of(const call::RequestRef& request);

} // namespace revenant::sip
