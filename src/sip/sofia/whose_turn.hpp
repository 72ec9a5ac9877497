// Which call the library works for. It does what it is told in a later turn of the main loop, where
// nothing of ours is on the stack; so each way into it is noted (revenant/base/in_hand.hpp).
#pragma once

#include <cstdint>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// 0: none, or none yet.
[[nodiscard]] std::uint32_t call_of(nua_handle_t* handle);

} // namespace revenant::sip
