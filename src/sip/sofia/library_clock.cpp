#include "sip/sofia/library_clock.hpp"

#include <cstdint>
#include <ctime>

#include <sys/time.h>

#include <sofia-sip/su_time.h>

#include "revenant/base/clock.hpp"

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

} // namespace revenant::sip

// ---- What the library reaches in place of its own ---------------------------------------------

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its names say less
extern "C" {

struct _GSource; // NOLINT(bugprone-reserved-identifier): GLib's name

void su_time(su_time_t* now) {
    using namespace revenant::sip;
    if (now != nullptr) {
        const su_time64_t ns = since_1900_ns();
        now->tv_sec = ns / second_ns;
        now->tv_usec = ns % second_ns / 1000;
    }
}

su_time64_t su_nanotime(su_time64_t* now) {
    const su_time64_t ns = revenant::sip::since_1900_ns();
    if (now != nullptr) {
        *now = ns;
    }
    return ns;
}

su_time64_t su_now64() {
    return revenant::sip::since_1900_ns();
}

// Would stand still while the machine is suspended.
su_time64_t su_monotime(su_time64_t* now) {
    const auto ns = static_cast<su_time64_t>(revenant::base::read_clock().boot_ns);
    if (now != nullptr) {
        *now = ns;
    }
    return ns;
}

su_time64_t su_stamp64() {
    return static_cast<su_time64_t>(revenant::base::read_clock().boot_ns);
}

// With this one the library's main-loop source compares its timers. A GTimeVal, which GLib no
// longer lets anybody name, is a timeval.
void g_source_get_current_time(_GSource* /*source*/, timeval* now) {
    const std::int64_t us = revenant::base::unstepped_ns() / 1000;
    now->tv_sec = us / 1'000'000;
    now->tv_usec = us % 1'000'000;
}

// Its resolver's: when a question is asked again, and how long an answer holds.
std::time_t time(std::time_t* now) noexcept {
    const std::time_t seconds = revenant::base::unstepped_ns() / revenant::sip::second_ns;
    if (now != nullptr) {
        *now = seconds;
    }
    return seconds;
}

} // extern "C"

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
