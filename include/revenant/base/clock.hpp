// The two clocks that a call's time is kept by, read once per event and passed as a value.
#pragma once

#include <cstdint>
#include <string>

namespace revenant::base {

// `boot_ns` is CLOCK_BOOTTIME: it paces the media and never steps. `real_ns` is CLOCK_REALTIME
// since 1970: it means the same after a reboot or on another machine.
struct Now {
    std::int64_t boot_ns = 0;
    std::int64_t real_ns = 0;

    friend bool operator==(const Now&, const Now&) = default;

    [[nodiscard]] std::int64_t real_ms() const { return real_ns / 1'000'000; }

    [[nodiscard]] std::int64_t boot_ms() const { return boot_ns / 1'000'000; }
};

[[nodiscard]] Now read_clock();

// What the wall clock would show had nobody touched it since the process began: it reads like one,
// goes on with the boot clock, and never steps.
[[nodiscard]] std::int64_t unstepped_ns();
[[nodiscard]] std::int64_t unstepped_ns(std::int64_t boot_ns);

// The kernel's boot id (/proc/sys/kernel/random/boot_id), empty if it cannot be read. Boot-time
// instants compare only within one boot.
[[nodiscard]] const std::string& boot_id();

} // namespace revenant::base
