// Who has started us, holds copies of our sockets and looks whether we live: revenant-keeper or
// systemd, by the protocol that sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3) specify.
// libsystemd speaks it as well, and brings six libraries along that every start would wait for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/fd.hpp"

namespace revenant::app {

// Where the descriptors begin that we are handed.
constexpr int first_handed_fd = 3;

// The names of the descriptors that this process is handed (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES)
// and that are open, in their order. Those that have no name are called "unknown".
[[nodiscard]] std::vector<std::string> handed_names();

// Now they are ours: a program that we start inherits neither them nor the variables.
void take_handed();

// How long we may be silent (WATCHDOG_USEC, WATCHDOG_PID). 0: nobody watches.
[[nodiscard]] std::uint64_t watchdog_limit_us();

// Says `text` on NOTIFY_SOCKET, and hands a copy of `fd` over when there is one. Waits while the
// queue is full. Whether it has been said: false when nobody is there to hear it.
bool tell_manager(std::string_view text, int fd = -1);

// A socket of its own to say things on, which does not wait; empty when nobody is there.
[[nodiscard]] base::Fd connect_to_manager();

} // namespace revenant::app
