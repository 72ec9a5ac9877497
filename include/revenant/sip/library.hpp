// Whether the SIP library that this program was started with is one that it can work with.
#pragma once

#include "revenant/base/result.hpp"

namespace revenant::sip {

// Functions of ours stand in front of the library's, and of libc's that it calls. A library that
// was built another way (-Bsymbolic, hidden symbols, LTO) or that is another version passes them
// by, and calls would be lost without a word. Looks at what is loaded, opens and sends nothing.
[[nodiscard]] base::Status check_library();

} // namespace revenant::sip
