// Time that a fuzzer moves on by itself: what waits 32 s for an answer has waited as soon as the
// fuzzer says so. The clocks of libc, by which the SIP library, GLib and the phone all go, are
// those of this file while a `Virtual` lives; else libFuzzer would count the moved time as spent.
#pragma once

#include <cstdint>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

namespace revenant::fuzz {

inline std::int64_t moved_ns = 0;
inline bool is_virtual = false;

class Virtual {
public:
    Virtual() { is_virtual = true; }

    Virtual(const Virtual&) = delete;
    Virtual& operator=(const Virtual&) = delete;

    ~Virtual() { is_virtual = false; }
};

inline void move_time_ms(std::int64_t ms) {
    moved_ns += ms * 1'000'000;
}

inline void add_moved(timespec& time) {
    const std::int64_t ns = time.tv_nsec + (is_virtual ? moved_ns : 0);
    time.tv_sec += ns / 1'000'000'000;
    time.tv_nsec = ns % 1'000'000'000;
}

} // namespace revenant::fuzz

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const long result = ::syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID) {
        revenant::fuzz::add_moved(*time);
    }
    return static_cast<int>(result);
}
