// The stack answers a CANCEL by itself, with 200, and then the INVITE with 487, and tells us when
// both are gone. Were the process killed in between, the record would let a call ring that nobody
// makes. So the 200 is held up for a moment, in the `sendmsg` of held_sockets.cpp, while the call
// is told.
#pragma once

#include <functional>
#include <string_view>

#include <sys/socket.h>

namespace revenant::sip {

// `told` is called with the Call-ID before a 200 to a CANCEL leaves; an empty one ends that.
void before_cancel_answer(std::function<void(std::string_view call_id)> told);

// A message that is about to be sent.
void watch_for_cancel_answer(const msghdr& message);

} // namespace revenant::sip
