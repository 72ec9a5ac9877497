// Where a test build may be told to die, or to hang. Every instant at which a crash could matter
// lies between two of these points, so a driver that dies at each in turn has tried them all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

// How a record that kills does it.
enum class Crash : std::uint8_t {
    fault,    // a store to where nothing is
    overflow, // an endless recursion
    abort,
    later, // a fault when the main loop is idle next, and no call is worked for
    kill,  // SIGKILL: as somebody from outside does
    hang,
};

// A step of the way back: "read", "ports", "library", "message", "media", "on-" and an event's
// name, "before-" or "after-" and an effect's. `call` is one of an earlier life's.
struct CrashPoint {
    std::string step;
    std::uint32_t call = 0; // 0: never
    Crash how = Crash::fault;
};

#ifdef REVENANT_KILL_POINTS
inline constexpr bool has_kill_points = true;
// So the process ends when `point` is passed for the `count`th time (from 1).
void die_at(KillPoint point, std::uint32_t count, Death how = Death::kill);
void pass(KillPoint point);

// Crashes whenever the step is taken for that call, once `is_found` has said that it is there
// again. Reading its record comes before.
void crash_at(CrashPoint point);
void is_found(std::uint32_t call, std::string_view call_id);
void pass_step(std::string_view prefix, std::string_view step, std::uint32_t call);
void pass_message(std::string_view call_id);
[[nodiscard]] bool dies_on_purpose();
#else
inline constexpr bool has_kill_points = false;

inline void die_at(KillPoint /*point*/, std::uint32_t /*count*/, Death /*how*/ = Death::kill) {}

inline void pass(KillPoint /*point*/) {}

inline void crash_at(const CrashPoint& /*point*/) {}

inline void is_found(std::uint32_t /*call*/, std::string_view /*call_id*/) {}

inline void
pass_step(std::string_view /*prefix*/, std::string_view /*step*/, std::uint32_t /*call*/) {}

inline void pass_message(std::string_view /*call_id*/) {}

[[nodiscard]] inline bool dies_on_purpose() {
    return false;
}
#endif

} // namespace revenant::base
