// What a SIP URI consists of, as far as the configuration has to know: the sip module judges the
// rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace revenant::shell {

// Views of the text that was taken apart.
struct UriShape {
    std::string_view user; // with what stands behind a ':' in it
    std::string_view host; // IPv6 with its brackets
    std::string_view parameters;
};

// Nothing unless it is "sip:", perhaps a user and '@', a host, perhaps a port, perhaps parameters.
[[nodiscard]] std::optional<UriShape> shape_of_uri(std::string_view text);

// "sip:alice:secret@example.org" has one (RFC 3261 §19.1.1), wherever in `text` the URI stands.
[[nodiscard]] bool has_uri_password(std::string_view text);

// With "***" in the password's place.
[[nodiscard]] std::string without_uri_password(std::string_view text);

} // namespace revenant::shell
