// A queue between two threads without a lock: many may post, one takes everything at once.
#pragma once

#include <atomic>
#include <utility>

#include <sys/eventfd.h>

#include "revenant/base/fd.hpp"

namespace revenant::media {

// T has a member `T* next`. The mailbox owns nothing: the two sides agree on who frees.
template <typename T>
class Mailbox {
public:
    Mailbox() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

    // Readable while something waits.
    [[nodiscard]] int fd() const { return event_.get(); }

    void post(T* item) {
        T* older = head_.load(std::memory_order_relaxed);
        do {
            item->next = older;
        } while (!head_.compare_exchange_weak(older, item, std::memory_order_release,
                                              std::memory_order_relaxed));
        // Who found it empty rings; whoever joins before the taker comes rides along. `item` may
        // be gone already.
        if (older == nullptr) {
            ring();
        }
    }

    // Makes `fd` unreadable again; to be followed by `take`, or a post in between is missed.
    void clear() {
        eventfd_t count = 0;
        static_cast<void>(::eventfd_read(event_.get(), &count));
    }

    // Makes `fd` readable without posting.
    void ring() { static_cast<void>(::eventfd_write(event_.get(), 1)); }

    // All that was posted, oldest first, linked by `next`; null if nothing.
    [[nodiscard]] T* take() {
        T* newest = head_.exchange(nullptr, std::memory_order_acquire);
        T* oldest = nullptr;
        while (newest != nullptr) {
            T* const older = std::exchange(newest->next, oldest);
            oldest = newest;
            newest = older;
        }
        return oldest;
    }

private:
    base::Fd event_;
    std::atomic<T*> head_{nullptr};
};

} // namespace revenant::media
