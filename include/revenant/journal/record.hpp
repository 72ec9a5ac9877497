// A dialog record as text and back: JSON with a schema number.
#pragma once

#include <string>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

inline constexpr int schema = 1;
inline constexpr std::size_t record_size_max = 1 << 20; // bytes; a larger file is not one of ours

// JSON, UTF-8, ends with a newline. Strings that are not UTF-8 are kept byte for byte (see
// state/README.md on the escape).
[[nodiscard]] std::string encode(const call::Dialog& dialog);

// Never throws, never returns half a Dialog. Errc::too_new for a later schema, Errc::corrupt for
// everything else that `encode` would not have written.
[[nodiscard]] base::Result<call::Dialog> decode(std::string_view text);

} // namespace revenant::journal
