// What is let go into a stream goes between two of the stack's messages.
//
// A stream takes what it has room for. Of a message that it has taken in part the stack gives the
// rest later, and what comes in between would end up inside that message: so it waits for the rest.
// And of one of ours that was taken in part the rest goes before all that the stack says next,
// which waits here; the stack takes it for sent.
#pragma once

#include <cstddef>
#include <string_view>

#include <sys/socket.h>
#include <sys/types.h>

namespace revenant::sip::stream_order {

using Send = ssize_t (*)(int fd, const msghdr& message, int flags);

// Writes the message now, or as soon as it fits.
void write(int fd, std::string_view message, Send send);

// Something of ours is not written yet: the stack's message waits behind it, here.
[[nodiscard]] bool keeps(int fd, const msghdr& message);

// The stack has given a message, or the rest of one, of that size; so much was taken.
void written(int fd, ssize_t taken, std::size_t size);

// The stack is about to give the rest of a message that was taken in part.
[[nodiscard]] bool is_within_message(int fd);

void closed(int fd);

} // namespace revenant::sip::stream_order
