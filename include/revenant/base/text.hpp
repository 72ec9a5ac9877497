// Text from outside: made harmless for a terminal, and read as numbers with bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace revenant::base {

// `text` with every control character (C0, DEL, C1), every bidirectional override and every byte
// that is not UTF-8 replaced by '?', cut to `length_max` bytes at a character boundary. What comes
// out moves no cursor and sets no colour.
[[nodiscard]] std::string printable(std::string_view text, std::size_t length_max = 512);

[[nodiscard]] bool is_utf8(std::string_view text);

// A decimal number that is the whole of `text`, no sign, no blanks; nothing if it is not or does
// not fit.
[[nodiscard]] std::optional<std::uint32_t> to_u32(std::string_view text);
[[nodiscard]] std::optional<std::uint16_t> to_port(std::string_view text); // 1..65535

[[nodiscard]] std::string to_lower(std::string_view text); // ASCII only
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view trim(std::string_view text); // blanks, tabs, CR, LF

} // namespace revenant::base
