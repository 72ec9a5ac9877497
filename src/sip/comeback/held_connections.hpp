// TCP connections that outlive the process.
//
// A connection that is closed when the phone dies tells the peer so, and what the peer has sent is
// lost with it. So a copy of each goes to somebody who outlives us (ConnectionKeeper), from the
// first message that the stack sends over it until the stack closes it. The next process gives
// them back: the stack can be handed no socket, but it takes what `accept` returns. An eventfd in
// place of the listener makes it ask; `accept` answers with the old connections, one a turn, and
// then the listener is put back. The stack finds a connection by the peer's address, so it does
// not matter who had opened it. Like held_sockets.hpp, this stands between the stack and libc.
//
// A stream has no marks between its messages. The next process must begin where one begins, so:
// - a message that was sent in part makes the connection one of this process only;
// - what comes first in a connection that was given back must look like the beginning of a
//   message. Otherwise the dead process had read half of one; the connection is reset, and the
//   peer opens another.
// The INVITE of a caller who still waits is not sent again over a stream, but it is stored: the
// stack reads it first (`say_first`), from a loopback connection that stands for the caller's until
// then.
//
// What remains: any other request that was read whole and not answered is not repeated over TCP,
// and the peer runs into its timeout. A half of a message whose rest looks like a beginning is not
// noticed. TLS has keys and counters in the process and cannot be given back at all.
#pragma once

#include <cstddef>
#include <string_view>

#include <sys/types.h>

#include "revenant/base/socket_address.hpp"

namespace revenant::sip::held_connections {

// What is more lives and dies with the process, as without a keeper.
inline constexpr std::size_t held_max = 64;

// To be called around each `sendmsg` of the stack without an address.
void before_send(int fd);
void after_send(int fd, ssize_t sent, std::size_t size);

// To be called before each time the stack reads; false: there is nothing good to be read here any
// more.
[[nodiscard]] bool before_receive(int fd);
void after_receive(int fd, ssize_t size);

// The socket to send through in place of `fd`; most often itself.
[[nodiscard]] int way_out(int fd);

// Whether a connection with that peer is there to be given back.
[[nodiscard]] bool waits(const base::SocketAddress& peer);

// Before `give_back`: the message is read from that connection before what the peer has sent
// meanwhile. False: there is no such connection.
[[nodiscard]] bool say_first(const base::SocketAddress& peer, std::string_view message);

// When all dialogs are rebuilt and the listeners are in place.
void give_back();

} // namespace revenant::sip::held_connections
