#include "revenant/base/disk_wait.hpp"

#include <atomic>
#include <cstdint>

namespace revenant::base {

namespace {

constinit std::atomic<std::uint32_t> unwatched{0};
constinit std::atomic<std::uint32_t>* current = &unwatched;

} // namespace

DiskWait::DiskWait() {
    current->fetch_add(1, std::memory_order_relaxed);
}

DiskWait::~DiskWait() {
    current->fetch_sub(1, std::memory_order_relaxed);
}

void count_disk_waits(std::atomic<std::uint32_t>& counter) {
    counter.store(current->load(std::memory_order_relaxed), std::memory_order_relaxed);
    current = &counter;
}

} // namespace revenant::base
