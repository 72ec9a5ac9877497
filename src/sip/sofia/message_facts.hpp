// What messages say that is asked for by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// The message as it came in; empty if it cannot be had.
[[nodiscard]] std::string whole_text(msg_t* message);

// Expires of a request in seconds; nothing if it has none.
[[nodiscard]] std::optional<std::uint32_t> expires_of(const sip_t& sip);

// Where the message came from; port 0 if it is not known.
[[nodiscard]] call::Endpoint source_of(msg_t* message);

// What every stand-in calls itself begins with this; the rest is a secret of its process.
inline constexpr std::string_view stand_in_prefix = "stand-in-";

// An answer of a stand-in, this process's or an earlier one's, which may wait in a socket that has
// outlived it. One that only claims to be is not missed.
[[nodiscard]] bool is_from_any_stand_in(const sip_t& sip);

// The Allow header field, fit to be shown; empty if there is none.
[[nodiscard]] std::string allow_of(const sip_t* sip);

// The realm of a 401 or 407; empty if there is none.
[[nodiscard]] std::string realm_of(const sip_t* sip);

} // namespace revenant::sip
