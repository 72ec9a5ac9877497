#include "sip/sofia/kept_request.hpp"

#include "revenant/call/event.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

call::RequestRef kept_request(msg_t* message) {
    if (message == nullptr) {
        return {};
    }
    return {msg_ref_create(message), [](msg_t* kept) { msg_destroy(kept); }};
}

msg_t* message_of(const call::RequestRef& request) {
    // It was made of one.
    return static_cast<msg_t*>(const_cast<void*>(request.get())); // NOLINT
}

} // namespace revenant::sip
