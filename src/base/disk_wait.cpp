#include "revenant/base/disk_wait.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace revenant::base {

namespace {

constinit std::atomic<std::uint32_t> unwatched{0};
constinit std::atomic<std::uint32_t>* current = &unwatched;

std::function<void()>& getting_on() {
    static std::function<void()> f;
    return f;
}

} // namespace

DiskWait::DiskWait() {
    current->fetch_add(1, std::memory_order_relaxed);
}

DiskWait::~DiskWait() {
    current->fetch_sub(1, std::memory_order_relaxed);
}

void get_on() {
    if (const auto& f = getting_on()) {
        f();
    }
}

void when_getting_on(std::function<void()> f) {
    getting_on() = std::move(f);
}

void count_disk_waits(std::atomic<std::uint32_t>& counter) {
    counter.store(current->load(std::memory_order_relaxed), std::memory_order_relaxed);
    current = &counter;
}

} // namespace revenant::base
