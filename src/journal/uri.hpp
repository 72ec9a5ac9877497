// What a record may say of where requests are sent.
#pragma once

#include <cstddef>
#include <string_view>

namespace revenant::journal {

inline constexpr std::size_t uri_size_max = 1024; // bytes

enum class Hop {
    next,     // ours: sip:, over UDP or TCP
    next_tls, // ours, of a call over TLS: also sips:, and over TLS
    later,    // others reach it: also sips:, and by any transport
};

// "sip:" [user "@"] host [":" port] [";" parameters] ["?" headers], in graphic ASCII, and not over
// `uri_size_max` (RFC 3261 §19.1.1). What a hop allows is said above.
[[nodiscard]] bool is_sip_uri(std::string_view text, Hop hop);

// The same in angle brackets, with a display name before it or parameters behind it, or bare.
[[nodiscard]] bool is_sip_address(std::string_view text, Hop hop);

} // namespace revenant::journal
