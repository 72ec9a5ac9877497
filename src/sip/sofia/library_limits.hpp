// What the library may take in from the network at most. It bounds neither what follows the first
// message of a stream, nor what it reads at a time, nor the connections of others.
#pragma once

#include <cstddef>

namespace revenant::sip {

// Of one message with its body, over UDP and TCP.
[[nodiscard]] unsigned message_size_max();

// The connections that others have opened.
namespace accepted_connections {

inline constexpr std::size_t accepted_max = 256;
// Of our answers, not read by the other end; what it says then is not heard any more.
inline constexpr int unread_answers_max = 128 * 1024;

// False while one that was told to end is still open: the next stays in the kernel's queue. The
// library goes back to its poll after each one that it accepts, and comes to no other socket as
// long as there are more; so many would be open, and those who have a call not heard.
[[nodiscard]] bool may_accept();
// One more than there may be makes another close: first one over which we have said nothing,
// and of these the one that has been silent longest.
void accepted(int fd);
void said_something(int fd);
void closed(int fd);

} // namespace accepted_connections

} // namespace revenant::sip
