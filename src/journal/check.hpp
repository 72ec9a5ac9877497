// The rules for what a record may say, apart from how it says it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace revenant::journal {

// RFC 3261 §8.1.1.5: a CSeq is below 2^31.
inline constexpr std::uint32_t cseq_max = 0x7FFF'FFFF;
inline constexpr std::size_t route_set_max = 128;
// Of all strings of a record together, in bytes. A byte takes at most six characters ("\u0001"),
// so that every record that passes encodes to less than `record_size_max`.
inline constexpr std::size_t strings_size_max = std::size_t{160} * 1024;

} // namespace revenant::journal
