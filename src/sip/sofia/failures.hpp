// Why a request of ours has reached nobody: what the SIP library knows of it on the way to a "503
// Service Unavailable" of its own, in which nothing of it is left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// A request could not be sent to `at`, or was refused there before SIP: `error` is an errno.
[[nodiscard]] std::string transport_failure(int error, const call::Endpoint& at);

namespace failures {

// The last one of a request counts. `request` is one of the library's own.
void note(const sip_t& request, std::string why);

// Whether the library has said this itself: nothing has come from the peer.
[[nodiscard]] bool is_local(const sip_t* answer);
// In words, for a local `answer`; its status and phrase where nothing more is known.
[[nodiscard]] std::string why(const sip_t* answer, int status, std::string_view phrase);

} // namespace failures

} // namespace revenant::sip
