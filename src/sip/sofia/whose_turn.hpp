// Notes which call the library works for (revenant/base/in_hand.hpp). What we tell it to do it does
// in a later turn of the main loop, with no function of ours above it on the stack; so each way
// into the library notes the call again.
#pragma once

#include <cstdint>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// 0: none, or none yet.
[[nodiscard]] std::uint32_t call_of(nua_handle_t* handle);

} // namespace revenant::sip
