// Where a test build may be told to die, or to hang. Every instant at which a crash could matter
// lies between two of these points, so a driver that dies at each in turn has tried them all.
#pragma once

#include <cstdint>

namespace revenant::base {

enum class KillPoint : std::uint8_t {
    before_effect, // an event has been taken in, and this effect of it is not begun
    after_effect,  // the effect is performed; what it gave to the SIP stack is not sent yet
    after_send,    // a SIP message has left for the peer
};

enum class Death : std::uint8_t {
    kill, // SIGKILL
    hang, // an endless loop
};

#ifdef REVENANT_KILL_POINTS
inline constexpr bool has_kill_points = true;
// So the process ends when `point` is passed for the `count`th time (from 1).
void die_at(KillPoint point, std::uint32_t count, Death how = Death::kill);
void pass(KillPoint point);
#else
inline constexpr bool has_kill_points = false;

inline void die_at(KillPoint /*point*/, std::uint32_t /*count*/, Death /*how*/ = Death::kill) {}

inline void pass(KillPoint /*point*/) {}
#endif

} // namespace revenant::base
