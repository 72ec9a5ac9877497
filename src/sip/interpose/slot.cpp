#include "sip/interpose/slot.hpp"

#include <dlfcn.h>

namespace revenant::sip {

void* Front::own_address() {
    void* own = own_.load(std::memory_order_relaxed);
    if (own == nullptr) {
        own = ::dlsym(RTLD_NEXT, name_); // the same for all threads
        own_.store(own, std::memory_order_relaxed);
    }
    return own;
}

} // namespace revenant::sip
