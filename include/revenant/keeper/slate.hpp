// A page of memory that the phone shares with its keeper, for what a process that hangs or is dead
// can no longer say. The phone makes it (memfd_create), seals its size, and hands it over like a
// socket, under `slate_name`; so it comes back to the next life, which finds what the last has
// left.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace revenant::keeper {

inline constexpr const char* slate_name = "slate";
inline constexpr std::size_t slate_size = 4096;
inline constexpr std::uint32_t slate_layout = 0x52560001; // changed with the struct

struct Slate {
    std::atomic<std::uint32_t> layout;
    // Above 0: the main loop is in a call that may wait for a disk. A main loop that sleeps there
    // is no hang, on whatever file system. The keeper sets it to 0 before each start.
    std::atomic<std::uint32_t> disk_waits;
    // A SIGTERM or SIGHUP that the phone has been sent, 0: none. The keeper sets it to 0 before
    // each start.
    std::atomic<std::int32_t> asked_to_end;
    // The line that is being typed and where its cursor is. 0 while `line` is being written.
    std::atomic<std::uint32_t> line_size;
    std::atomic<std::uint32_t> line_cursor;
    std::array<char, 4000> line;
};

static_assert(sizeof(Slate) <= slate_size);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

} // namespace revenant::keeper
