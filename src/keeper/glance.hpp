// What /proc says about the phone.
#pragma once

#include <sys/types.h>

#include "keeper/watchdog.hpp"

namespace revenant::keeper {

// Of the process's main thread. What cannot be read stays as it is in a fresh Glance.
[[nodiscard]] Glance glance_at(pid_t pid);

} // namespace revenant::keeper
