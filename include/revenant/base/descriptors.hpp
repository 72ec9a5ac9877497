// Room for the sockets of many calls: each has two, RTP and RTCP.
#pragma once

#include <cstddef>

namespace revenant::base {

// Raises the number of files that may be open to what the system allows, and lets the kernel make
// its table of them large at once. To be called before the first thread is started: from then on
// each time that the table doubles the whole process waits for the kernel's readers of the old one,
// 10 ms and more (expand_files() in Linux: synchronize_rcu() when the table is shared).
void make_room_for_descriptors();

// How many more files can be opened, at most.
[[nodiscard]] std::size_t descriptors_left();

} // namespace revenant::base
