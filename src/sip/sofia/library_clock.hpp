// The library's clock, which never steps. Its timers, and the ages that it reckons with, stand on
// the wall clock: set back by an hour, nothing would be repeated or refreshed for an hour; set
// forward, everything would time out at once. So the functions that it reads the time with are
// ours, and tell the wall clock of the program's start, carried on by the boot clock. What the
// library says to others of the time (a Date, which we do not send) would be that as well.
#pragma once

#include <cstdint>

namespace revenant::sip {

// Seconds since 1900, as the library's numbers that it takes from the clock are made of.
[[nodiscard]] std::uint64_t library_seconds();

} // namespace revenant::sip
