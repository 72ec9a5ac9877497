// Bounds for what the library takes in from the network, which it forgets or does not have. All are
// functions of the library's name in front of its own.
#include "sip/library_limits.hpp"

#include "sip/next_function.hpp"
#include "sip/nua.hpp"

namespace revenant::sip {

unsigned message_size_max() {
    return 64 * 1024;
}

} // namespace revenant::sip

extern "C" {

// What follows a message in a stream is a message without a bound on its size.
msg_t* msg_next(msg_t* message) {
    using namespace revenant::sip;
    static auto* const real = next_function<msg_t*(msg_t*)>("msg_next");
    msg_t* next = real(message);
    if (next != nullptr) {
        msg_maxsize(next, message_size_max());
    }
    return next;
}

} // extern "C"
