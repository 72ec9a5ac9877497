// Tells whoever watches the main loop that it waits for a disk, which is no hang.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace revenant::base {

// It may be waiting for a disk. The kernel tells only of some file systems: a wait for FUSE looks
// like any other sleep. For the main loop's thread, and one that it waits for. May be nested.
// Nothing else is done meanwhile that could sleep: that would be a hang, and excused.
class DiskWait {
public:
    DiskWait();
    DiskWait(const DiskWait&) = delete;
    DiskWait& operator=(const DiskWait&) = delete;
    ~DiskWait();
};

// Where they are counted from now on; `counter` lives as long as the process.
void count_disk_waits(std::atomic<std::uint32_t>& counter);

// It is in a step that goes through all calls, which may be thousands, and has done some more of
// them. For the main loop's thread only.
void get_on();

// What `get_on` calls from now on; may be empty.
void when_getting_on(std::function<void()> f);

} // namespace revenant::base
