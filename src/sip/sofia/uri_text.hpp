// From the SIP library's structures to text of our own, and URIs from users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

[[nodiscard]] std::string text_of(const char* text); // empty for null

// One header field's value; empty for null.
template <typename Header>
[[nodiscard]] std::string header_text(const Header* header);

[[nodiscard]] std::string uri_text(const url_t* url);

// Display name and URI, without tag or other parameters: "\"Alice\" <sip:alice@example.org>".
[[nodiscard]] std::string name_addr(const char* display, const url_t* url);

// A request with our tag in its To, as if sent in the dialog; empty if it is no request. Not
// `reliable`: it does not require reliable responses either.
[[nodiscard]] std::string
with_to_tag(std::string_view request, const std::string& tag, bool reliable = true);

// The Record-Route header fields as Route header fields of requests in the dialog: reversed for
// the caller, in order for the callee (RFC 3261 §12.1).
[[nodiscard]] std::vector<std::string> routes(const sip_record_route_t* first, bool reversed);

struct Uri {
    std::string text; // canonical, with scheme
    std::string user;
    std::string host;       // IPv6 without brackets
    std::uint16_t port = 0; // 0: not given
    std::optional<call::Transport> transport;
    bool loose_route = false;
};

// "bob@192.0.2.1:5070", "sip:bob@[::1];transport=tcp", "<sip:proxy;lr>". Errc::bad_input with
// what is wrong; sips: and tel: are Errc::unsupported.
[[nodiscard]] base::Result<Uri> read_uri(std::string_view text);

// RFC 3261 §25.1 host, and the '_' that names in local networks have; never empty.
[[nodiscard]] bool is_host(const std::string& host);

// host:port with brackets where IPv6 needs them.
[[nodiscard]] std::string host_port(const call::Endpoint& endpoint);

template <typename Header>
std::string header_text(const Header* header) {
    if (header == nullptr) {
        return {};
    }
    const Home home = make_home();
    // The library takes every header as this base type.
    const auto* base = reinterpret_cast<const sip_header_t*>(header);
    return text_of(sip_header_as_string(home.get(), base));
}

} // namespace revenant::sip
