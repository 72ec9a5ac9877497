// The main loop for tests: turned until something is so, with a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include <glib.h>

namespace revenant {

// False: not within the deadline.
inline bool run_until(const std::function<bool()>& is_so, std::int64_t deadline_ms = 5000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{deadline_ms};
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        if (g_main_context_iteration(nullptr, FALSE) == FALSE) {
            g_usleep(200);
        }
    }
    return true;
}

// To see that nothing happens.
inline void run_for_ms(std::int64_t ms) {
    static_cast<void>(run_until([] { return false; }, ms));
}

} // namespace revenant
