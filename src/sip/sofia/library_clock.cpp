#include "sip/sofia/library_clock.hpp"

#include <cstdint>
#include <ctime>

#include <sys/time.h>

#include "revenant/base/clock.hpp"
#include "sip/interpose/stack_hooks.hpp"

namespace revenant::sip {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t epoch_s = 2'208'988'800; // 1970, in seconds since 1900

su_time64_t since_1900_ns() {
    return static_cast<su_time64_t>(base::unstepped_ns() + epoch_s * second_ns);
}

} // namespace

std::uint64_t library_seconds() {
    return since_1900_ns() / second_ns;
}

// ---- In front of what the library reads the time with ------------------------------------------

namespace {

void tell_time(su_time_t* now) {
    if (now != nullptr) {
        const su_time64_t ns = since_1900_ns();
        now->tv_sec = ns / second_ns;
        now->tv_usec = ns % second_ns / 1000;
    }
}

su_time64_t tell_nanoseconds(su_time64_t* now) {
    const su_time64_t ns = since_1900_ns();
    if (now != nullptr) {
        *now = ns;
    }
    return ns;
}

// With this one the library's main-loop source compares its timers.
void tell_source(_GSource* /*source*/, timeval* now) {
    const std::int64_t us = base::unstepped_ns() / 1000;
    now->tv_sec = us / 1'000'000;
    now->tv_usec = us % 1'000'000;
}

// Its resolver's: when a question is asked again, and how long an answer holds.
std::time_t tell_seconds(std::time_t* now) {
    const std::time_t seconds = base::unstepped_ns() / second_ns;
    if (now != nullptr) {
        *now = seconds;
    }
    return seconds;
}

// The source asks for whole milliseconds, rounded down, and in the last one for none at all: the
// loop would turn until the timer is due. Rounded up it sleeps, and the timer is late by less than
// one.
su_duration_t until_next_timer(const void* timers, su_time_t now) {
    constexpr unsigned long nearly_ms = 999; // in µs
    const bool borrows = now.tv_usec < nearly_ms;
    now.tv_sec -= borrows ? 1 : 0;
    now.tv_usec += (borrows ? 1'000'000UL : 0UL) - nearly_ms;
    return hooks.su_timer_next_expires.own()(timers, now);
}

const Standing next_timers{hooks.su_timer_next_expires, until_next_timer};
const Standing times{hooks.su_time, tell_time};
const Standing nanoseconds{hooks.su_nanotime, tell_nanoseconds};
const Standing sources{hooks.g_source_get_current_time, tell_source};
const Standing seconds{hooks.time, tell_seconds};

} // namespace

} // namespace revenant::sip
