// Where a 3xx leads a REGISTER.
#pragma once

#include <string>
#include <string_view>

namespace revenant::account {

// The URI as a Request-URI of REGISTER (RFC 3261 §10.2: no user; §19.1.1: no headers, no method);
// empty if it is none that we could go to.
[[nodiscard]] std::string registrar_uri(std::string_view uri);

// Both have the same host and port.
[[nodiscard]] bool is_same_place(std::string_view a, std::string_view b);

// The way there is by TLS.
[[nodiscard]] bool is_secure(std::string_view uri);

} // namespace revenant::account
