// Which request of a dialog waits for which.
//
// The stack sends one request but INVITE at a time, and puts an INVITE or a BYE that comes
// meanwhile behind it. An answer to INFO, OPTIONS or PRACK then starts the next request that is no
// INVITE: the INVITE stays in that queue for ever, and every INVITE after it. And a peer that does
// not answer an INFO would hold up our BYE for 32 s (64*T1).
//
// - An offer of ours is not given to the stack before our other requests are answered.
// - The stack's own refresh of a session (RFC 4028 §7.2) leaves when it is due, our BYE at once.
//
// The second stands in front of the library's functions (interpose/stack_hooks.hpp).
#pragma once

#include <cstdint>

namespace revenant::sip {

class RequestOrder { // a Leg's
public:
    // An INFO, OPTIONS or PRACK is given to the stack.
    void sent() { unanswered_ += 1; }

    // It is answered; a challenge is no answer. True when the offer that waits is to be made now.
    [[nodiscard]] bool answered();

    // False: not now, and answered() says when.
    [[nodiscard]] bool may_offer();

    // True the first time. A BYE that is said again waits for the one before.
    [[nodiscard]] bool is_first_bye();

    void forget_offer() { offer_waits_ = false; }

private:
    std::uint32_t unanswered_ = 0;
    bool offer_waits_ = false;
    bool bye_said_ = false;
};

} // namespace revenant::sip
