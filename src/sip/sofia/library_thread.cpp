#include "sip/sofia/library_thread.hpp"

#include <atomic>
#include <thread>

namespace revenant::sip {

namespace {

std::atomic<std::thread::id>& owner() {
    static std::atomic<std::thread::id> one; // of no thread yet
    return one;
}

} // namespace

void claim_library_thread() {
    owner().store(std::this_thread::get_id(), std::memory_order_relaxed);
}

bool is_library_thread() {
    return owner().load(std::memory_order_relaxed) == std::this_thread::get_id();
}

} // namespace revenant::sip
