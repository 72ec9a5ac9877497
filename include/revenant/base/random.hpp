// Random numbers for identities that a stranger must not guess (RFC 3261 §19.3, RFC 3550 §8).
#pragma once

#include <cstdint>
#include <string>

namespace revenant::base {

[[nodiscard]] std::uint32_t random_u32();

// `length` characters of [0-9a-z]; 13 hold 64 bits.
[[nodiscard]] std::string random_token(std::size_t length);

} // namespace revenant::base
