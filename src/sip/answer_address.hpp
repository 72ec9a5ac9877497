// Where an answer goes (RFC 3261 §18.2.2): to where the request came from. The library would look a
// name in Via up first, a stranger's, and everything would wait for it.
#pragma once

#include <cstddef>

#include <sys/socket.h>

namespace revenant::sip {

// A datagram has been read; what is said to it next, before its Via has been looked at, goes back
// there. Over a connection the answer has its way.
void answers_go_to(const msghdr& message);

} // namespace revenant::sip
