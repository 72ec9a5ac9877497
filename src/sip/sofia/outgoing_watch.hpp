// What the stack sends by itself, seen just before it leaves: held_sockets.cpp asks `stops`.
//
// - 100: dropped. It is sent before anybody has heard of the INVITE; who has a 100 does not repeat
//   the INVITE (RFC 3261 §17.1.1.2), and a kill right then would leave it waiting for ever. Our own
//   answer comes well within the 200 ms of §17.2.1.
// - 200 to a CANCEL or a PRACK, and the ACK to a refusal of our INVITE: the call is told first, so
//   that what the other side then takes for granted is in the record. Until it is, the message
//   waits (outgoing_gate.hpp).
// - An INVITE that a name has led to where it goes: the call is told where that is, likewise.
// - An INVITE of an earlier life: held back for a while. If the callee has meanwhile answered, its
//   2xx comes again within 4 s (§13.3.1.4), and to some callees an INVITE after it is a new call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "revenant/base/socket_address.hpp"
#include "revenant/call/event.hpp"

namespace revenant::sip::outgoing_watch {

struct Refusal {
    std::string_view call_id;
    std::string_view local_tag;
    std::uint32_t cseq = 0;
    std::uint16_t status = 0;
};

struct Invite {
    std::string_view call_id;
    std::string_view local_tag;
    base::SocketAddress to;
};

struct Listener {
    using Held = const call::HeldRef&; // the message stays for as long as somebody keeps it

    std::function<void(std::string_view call_id, Held held)> before_cancel_answer;
    std::function<void(std::string_view call_id, const std::string& prack, Held held)>
        before_prack_answer;
    std::function<void(const Refusal& refusal, Held held)> before_refusal_ack;
    std::function<void(const Invite& invite, Held held)> before_invite; // of those reported
};

// Replaces the one before.
void tell(Listener listener);

// True when the message shall not be sent now, nor ever by the caller.
[[nodiscard]] bool stops(int fd, const msghdr& message);

// An INVITE is told of each time before it leaves.
void report(const std::string& branch);
void report_no_more(const std::string& branch);

void hold_back(const std::string& branch);
// Ends it; `send`: what was held back leaves now.
void let_go(const std::string& branch, bool send);

} // namespace revenant::sip::outgoing_watch
