// A request of ours within a call that is refused leaves the call as it was (RFC 3261 §14.1).
//
// - By itself the library drops the dialog, or says BYE, for many of these answers (RFC 5057) and
//   for failures of its own. Here none of them ends anything: the call machine decides what a
//   refusal means for the call, and says BYE if it means the end.
// - A challenge is a refusal as well when nobody has credentials for its realm. The library would
//   keep the request until somebody has some, and every later one behind it.
// - An offer that was refused is void. The library would wait for its answer, and refuse the peer's
//   next UPDATE with 500.
//
// All of them stand in front of the library's functions (interpose/stack_hooks.hpp).
#pragma once

#include <functional>
#include <string>

#include "sip/sofia/nua.hpp"

namespace revenant::sip::refusals {

using HasCredentials = std::function<bool(const std::string& realm)>;

// Replaces the one before.
void tell(HasCredentials has_credentials);

// Whether the request that this challenge answers is over; else it waits for credentials.
[[nodiscard]] bool is_final(const sip_t& challenge);

// Our offer has no answer and will get none: the description that the peer has sent is its own
// offer. False when it has sent none.
[[nodiscard]] bool forget_offer(soa_session_t* session);

} // namespace revenant::sip::refusals
