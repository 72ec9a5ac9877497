// How often each nonce was used, in a page that outlives the process (state/README.md): a count
// that has been on the wire is never there again (RFC 7616 §3.4), also after SIGKILL and whether
// a call or a registration has used it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/account/registration.hpp"

namespace revenant::sip::nonce_counts {

// A file of another size, version or kind is made anew. One that cannot be is told, and the counts
// are in memory then, as they are with an empty path or before this. Returns whether it is there.
bool open(const std::string& path);

// The count for the next request with this nonce, above the challenge's own; it is in the page
// before this returns.
[[nodiscard]] std::uint32_t next(std::string_view user, const account::Challenge& challenge);

} // namespace revenant::sip::nonce_counts
