// What carries SIP messages (RFC 3261 §18). Who asks for one of its properties asks here, so that a
// transport that is added has its answer everywhere.
#pragma once

#include <cstdint>
#include <string_view>

#include "revenant/base/log.hpp"

namespace revenant::call {

enum class Transport : std::uint8_t { udp, tcp, tls };

// As a URI's `transport` parameter has it.
[[nodiscard]] constexpr std::string_view transport_name(Transport transport) {
    switch (transport) {
    case Transport::udp: return "udp";
    case Transport::tcp: return "tcp";
    case Transport::tls: return "tls";
    }
    base::die("a transport that there is not");
}

// What the URI of a contact needs so that it is reached by this one: UDP is meant without a word
// (RFC 3263 §4.1).
[[nodiscard]] constexpr std::string_view transport_parameter(Transport transport) {
    switch (transport) {
    case Transport::udp: return "";
    case Transport::tcp: return ";transport=tcp";
    case Transport::tls: return ";transport=tls";
    }
    base::die("a transport that there is not");
}

// Messages come in order, out of a connection, and are said once. Of the others each request is
// repeated until there is an answer (RFC 3261 §17).
[[nodiscard]] constexpr bool is_stream(Transport transport) {
    switch (transport) {
    case Transport::udp: return false;
    case Transport::tcp:
    case Transport::tls: return true;
    }
    base::die("a transport that there is not");
}

} // namespace revenant::call
