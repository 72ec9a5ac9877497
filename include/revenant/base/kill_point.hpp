// Where a test build may be told to die. Every instant at which a crash could matter lies between
// two of these points, so a driver that dies at each in turn has tried them all.
#pragma once

#include <cstdint>

namespace revenant::base {

enum class KillPoint : std::uint8_t {
    before_effect, // an event has been taken in, and this effect of it is not begun
    after_effect,  // the effect is performed; what it gave to the SIP stack is not sent yet
    after_send,    // a SIP message has left for the peer
};

#ifdef REVENANT_KILL_POINTS
inline constexpr bool has_kill_points = true;
// SIGKILLs the process when `point` is passed for the `count`th time (from 1).
void die_at(KillPoint point, std::uint32_t count);
void pass(KillPoint point);
#else
inline constexpr bool has_kill_points = false;

inline void die_at(KillPoint /*point*/, std::uint32_t /*count*/) {}

inline void pass(KillPoint /*point*/) {}
#endif

} // namespace revenant::base
