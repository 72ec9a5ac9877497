// SIP sockets that outlived an earlier process, given to a stack that insists on binding its own.
//
// sofia-sip cannot be handed a socket. So while it starts, this file stands between it and libc
// (interpose/stack_hooks.hpp):
// - the stack's `bind` to an address that a held socket has binds a throw-away loopback port, and
//   `getsockname` tells the stack the address that it wanted;
// - what the stack sends to the stand-in is handed to the stand-in, and what it sends to anybody
//   else goes out through the held socket;
// - when all dialogs are rebuilt, `adopt` puts the held sockets in place of the others (dup3). Only
//   then does the stack read what has queued up in them, and each message finds its dialog.
// To put them in place at `bind` would be too early: the stack reads from its socket once while it
// makes it, and would answer 481.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/comeback/early_reader.hpp"

namespace revenant::sip::held_sockets {

// Sockets to be used by the next stack that binds their addresses. UDP sockets and TCP
// listeners; the table has room for 32, the rest is closed.
void offer(std::vector<base::Fd> sockets);

// There are dialogs to rebuild: a UDP socket that is bound anew waits for `adopt` as a held one
// does, so that no message finds the stack without its dialog.
void delay_reading();

// What a stack sends to `stand_in` does not leave this process: `hear` gets it at once, and
// where the stack reads the answer. Until `undivert`.
using Hear = std::function<void(std::string_view message, const base::SocketAddress& from)>;
void divert(const base::SocketAddress& stand_in, Hear hear);
void undivert(const base::SocketAddress& stand_in);

// While one exists, the sockets that are bound are noted down for `bound`.
class Watch {
public:
    Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();
};

// Every UDP socket and TCP listener that the stacks have bound themselves; still theirs.
[[nodiscard]] std::vector<int> bound();

// Where a stack that was to listen at `wanted` reads: there, or on loopback until `adopt`.
[[nodiscard]] std::optional<base::SocketAddress> reads_at(const base::SocketAddress& wanted);

// The UDP sockets that wait for `adopt`, and where the stack reads instead.
[[nodiscard]] std::vector<EarlyReader::Socket> unread();

// Whether sockets of an earlier process wait for `adopt`: what has come meanwhile is in them.
[[nodiscard]] bool waiting();

// Puts the held sockets in place; what was offered and not asked for is closed.
[[nodiscard]] base::Status adopt();

} // namespace revenant::sip::held_sockets
