// What the library must not get to see in a message from the network, and no record may say.
//
// The library hands on what it has parsed without a thought for what it will do with it: with a
// Contact that is no sip: URI its next request in the dialog never ends, and some numbers and
// orders of messages fail its assertions. So each message is looked at when it is parsed and before
// anything acts on it. The table in src/sip/README.md says which part of the library each rule is
// for.
#pragma once

#include <string>
#include <string_view>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// What requests can be sent to from a listener.
struct Reach {
    bool v4 = true;
    bool v6 = true;
    bool udp = true;
    bool tcp = true;
};

// Whether a datagram may be a message, or the empty line that keeps a binding open. STUN and
// SigComp would be answered, and their decoders print.
[[nodiscard]] bool may_be_message(std::string_view datagram);

// Why requests cannot be sent to this URI from here, to be said behind the name of what holds it:
// "is no sip: URI"; empty: they can.
[[nodiscard]] std::string_view why_unreachable(const url_t& url);

// Whether the Contact and the next hop of the Record-Route are, as far as they say where they are.
[[nodiscard]] bool is_within(const sip_t& sip, const Reach& reach);

// The name of the header field for which a request is refused with 400, and a response not heard;
// null: go on. The next hop of what the message begins or refreshes must be within reach.
[[nodiscard]] const char* unacceptable(const sip_t& sip, const Reach& reach = {});

// Takes away what cannot be used and is not needed to understand the message; a response remembers
// it for `fault_of`.
void take_off_unusable(sip_t& sip, const Reach& reach = {});

// What a response has lost that a dialog needs, "its Contact is no sip: URI"; empty: nothing.
[[nodiscard]] std::string fault_of(const sip_t& sip);

} // namespace revenant::sip
