// Which request of a dialog waits for which.
//
// The stack sends one request but INVITE at a time, and puts an INVITE or a BYE that comes
// meanwhile behind it. A peer that does not answer an INFO would hold up our BYE for 32 s (64*T1),
// and the refresh of the session for ever: an answer to INFO, OPTIONS or PRACK starts the next
// request that is no INVITE. So our BYE leaves at once, and the stack's own refresh (RFC 4028 §7.2)
// when it is due: what does that stands in front of the library's functions
// (interpose/stack_hooks.hpp). An offer of ours is not made before our other requests are answered
// (call/offer_steps.cpp).
#pragma once

#include "sip/sofia/leg.hpp"

namespace revenant::sip {

// It waits for nothing but a BYE before it.
void say_bye(const Leg& leg);

} // namespace revenant::sip
