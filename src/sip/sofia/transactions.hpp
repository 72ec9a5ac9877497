// What nua does not let its user say to the transaction layer below it (nta).
//
// - The branch of an INVITE or a PRACK is made of its From tag and its CSeq, so that another
//   process, which knows both from the record, can send the same transaction again (RFC 3261
//   §17.2.3).
// - Responses that belong to no transaction are shown instead of dropped: a peer repeats its 2xx
//   until it hears an ACK, also when the process that sent the INVITE is gone.
// - An ACK can be sent for an INVITE that nua has never seen.
// - An answer to a request that has not been sent is not heard. A CANCEL waits until the INVITE has
//   had one (RFC 3261 §9.1), any request for the name that it goes to, and the program is aborted
//   when it is answered first: by whoever has had it from an earlier life, or makes the answer up.
// - Nor is a provisional response behind the final one, after which no ACK would be sent.
//
// The first and the last two stand in front of the library's functions (interpose/stack_hooks.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// "z9hG4bK" and what makes it this INVITE's, or this PRACK's.
[[nodiscard]] std::string invite_branch(std::string_view from_tag, std::uint32_t cseq);

// For nua_create: where to put (nta_agent_t**) the agent that the nua makes for itself. The library
// has no way to ask for it.
extern const tag_typedef_t agent_slot;

// A request of this dialog, not sent yet; null when it cannot be made. The caller owns it.
[[nodiscard]] msg_t* new_request(nta_agent_t* agent,
                                 const call::Dialog& dialog,
                                 std::string_view method,
                                 std::uint32_t cseq);

// Sends an ACK for the 2xx to the INVITE with this CSeq (RFC 3261 §13.2.2.4).
void acknowledge_again(nta_agent_t* agent, const call::Dialog& dialog, std::uint32_t cseq);

} // namespace revenant::sip
