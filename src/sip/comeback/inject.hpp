// A datagram that is not from the network: the stored INVITE of a caller who has long sent it, read
// by the stack as if it came in now, from where it came then.
//
// It is sent to the stack's own socket from one of ours, behind a secret word and the address that
// it shall seem to be from; what stands in front of the library's `su_vrecv` takes both off again.
#pragma once

#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"

namespace revenant::sip {

// `to` is where the stack's socket really listens.
[[nodiscard]] base::Status
inject(const base::SocketAddress& to, std::string_view message, const base::SocketAddress& from);

} // namespace revenant::sip
