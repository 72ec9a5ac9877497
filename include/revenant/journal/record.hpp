// A dialog record as text and back: JSON with a schema number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

inline constexpr int schema = 3;
inline constexpr std::size_t record_size_max = 1 << 20; // bytes; a larger file is not one of ours

// The rules that a record must keep apart from its syntax (state/README.md lists them):
// Errc::corrupt with the key's name if decode() would refuse what encode() makes of this Dialog. A
// store asks before it writes, so that what is stored can be read.
[[nodiscard]] base::Status check(const call::Dialog& dialog);

// JSON, UTF-8, ends with a newline. Strings that are not UTF-8 are kept byte for byte (see
// state/README.md on the escape).
[[nodiscard]] std::string encode(const call::Dialog& dialog);

// Never throws, never returns half a Dialog. Errc::too_new for a later schema, Errc::corrupt for
// everything else that does not follow the format. Unknown keys are ignored.
[[nodiscard]] base::Result<call::Dialog> decode(std::string_view text);

} // namespace revenant::journal
