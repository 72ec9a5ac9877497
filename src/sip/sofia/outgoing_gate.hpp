// Messages of the stack's that wait until what they say is stored.
//
// The 200 to a CANCEL or a PRACK, the ACK to a refusal and an INVITE that a name has just led
// somewhere are made by the stack, and the first that anybody hears of them is that they are about
// to leave. Whoever is told gets a reference to the message; while somebody keeps it the message
// stays here, and behind it, in their order, all others with its Call-ID: the 487 behind the 200 to
// a CANCEL, a 2xx behind the 200 to a PRACK, the next INVITE behind an ACK (RFC 3261 §9.2,
// §17.1.1). The stack takes them for sent; what it repeats meanwhile is dropped.
#pragma once

#include <string_view>

#include <sys/socket.h>

#include "revenant/call/event.hpp"

namespace revenant::sip::outgoing_gate {

// For a message that is about to leave.
[[nodiscard]] call::HeldRef announce();

// True: the message stays here, because somebody beside the caller has `held` as well or an earlier
// one of its call waits; the caller does not send it. `held` may be nothing. It leaves by
// `sendmsg`, from within whatever gives the last reference back.
[[nodiscard]] bool
keeps(const call::HeldRef& held, int fd, const msghdr& message, std::string_view text);

// A message waits, of whatever call.
[[nodiscard]] bool is_shut();

// One that waited is leaving: it is not to be looked at again.
[[nodiscard]] bool is_letting_go();

// What waits for that socket is for nobody any more.
void closed(int fd);

} // namespace revenant::sip::outgoing_gate
