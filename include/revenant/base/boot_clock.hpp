// CLOCK_BOOTTIME as std::chrono has its clocks: it never steps, and goes on in suspension.
#pragma once

#include <chrono>

#include "revenant/base/clock.hpp"

namespace revenant::base {

struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;

    static time_point now() { return time_point{duration{read_clock().boot_ns}}; }
};

} // namespace revenant::base
