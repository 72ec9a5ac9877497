// Says to whoever watches the main loop that it may be waiting for a disk, which is no hang. The
// kernel tells only of some file systems: a wait for FUSE looks like any other sleep.
#pragma once

#include <atomic>
#include <cstdint>

namespace revenant::base {

// For the main loop's thread only. May be nested.
class DiskWait {
public:
    DiskWait();
    DiskWait(const DiskWait&) = delete;
    DiskWait& operator=(const DiskWait&) = delete;
    ~DiskWait();
};

// Where they are counted from now on; `counter` lives as long as the process.
void count_disk_waits(std::atomic<std::uint32_t>& counter);

} // namespace revenant::base
