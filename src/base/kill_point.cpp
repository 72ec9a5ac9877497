#include "revenant/base/kill_point.hpp"

#ifdef REVENANT_KILL_POINTS

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "revenant/base/source.hpp"

namespace revenant::base {

namespace {

// How many times each point is still to be passed; 0: never dies there.
std::array<std::uint32_t, 3>& left() {
    static std::array<std::uint32_t, 3> counts{};
    return counts;
}

Death death = Death::kill;

struct Planned {
    CrashPoint point;
    std::string call_id; // of that call, once it is found
    bool found = false;
    Source later;
};

Planned& planned() {
    static Planned one;
    return one;
}

// NOLINTNEXTLINE(misc-no-recursion): that is what it is for
int recurse(volatile const char* before) {
    volatile char here[4096]; // NOLINT(*-avoid-c-arrays)
    here[0] = *before;
    return here[0] != 0 ? 0 : recurse(here) + here[0];
}

void crash(Crash how) {
    switch (how) {
    case Crash::fault: {
        volatile std::uintptr_t nothing = 64;
        *reinterpret_cast<volatile int*>(nothing) = 1; // NOLINT(performance-no-int-to-ptr)
        return;
    }
    case Crash::overflow: {
        volatile char end = 0;
        static_cast<void>(recurse(&end));
        return;
    }
    case Crash::abort: std::abort();
    case Crash::later: planned().later = when_idle([] { crash(Crash::fault); }); return;
    case Crash::kill: static_cast<void>(std::raise(SIGKILL)); return;
    case Crash::hang:
        for (;;) {
            ::pause();
        }
    }
}

} // namespace

void die_at(KillPoint point, std::uint32_t count, Death how) {
    left().at(static_cast<std::size_t>(point)) = count;
    death = how;
}

void pass(KillPoint point) {
    std::uint32_t& count = left().at(static_cast<std::size_t>(point));
    if (count > 0 && --count == 0) {
        for (volatile bool goes_on = death == Death::hang; goes_on;) {
        }
        static_cast<void>(std::raise(SIGKILL));
    }
}

void crash_at(CrashPoint point) {
    planned().point = std::move(point);
}

void is_found(std::uint32_t call, std::string_view call_id) {
    if (call == planned().point.call) {
        planned().call_id = call_id;
        planned().found = true;
    }
}

void pass_step(std::string_view prefix, std::string_view step, std::uint32_t call) {
    const Planned& plan = planned();
    if (call == plan.point.call && call != 0 && (plan.found || step == "read") &&
        plan.point.step.starts_with(prefix) && plan.point.step.substr(prefix.size()) == step) {
        crash(plan.point.how);
    }
}

void pass_message(std::string_view call_id) {
    if (planned().found && planned().point.step == "message" && call_id == planned().call_id) {
        crash(planned().point.how);
    }
}

bool dies_on_purpose() {
    return planned().point.call != 0;
}

} // namespace revenant::base

#endif
