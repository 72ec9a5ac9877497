#include "journal/uri.hpp"

#include <algorithm>
#include <string_view>

#include "revenant/base/text.hpp"

namespace revenant::journal {

namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_graphic_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A name or an address; the library has the last word on what is between brackets.
bool is_host(std::string_view text) {
    if (text.starts_with('[')) {
        return text.size() > 2 && text.ends_with(']') &&
               text.find_first_not_of("0123456789abcdefABCDEF:.", 1) == text.size() - 1;
    }
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
    });
}

bool is_host_and_port(std::string_view text) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    const std::size_t colon = bracket == npos ? npos : text.find(':', bracket);
    const bool has_port = colon != npos;
    return is_host(text.substr(0, colon)) &&
           (!has_port || base::to_port(text.substr(colon + 1)).has_value());
}

bool is_transport_known(std::string_view name, Hop hop) {
    const auto is = [name](std::string_view other) {
        return base::equals_ignoring_case(name, other);
    };
    switch (hop) {
    case Hop::next: return is("udp") || is("tcp");
    case Hop::next_tls: return is("udp") || is("tcp") || is("tls");
    case Hop::later: return true;
    }
    return false;
}

bool are_transports_known(std::string_view parameters, Hop hop) {
    while (!parameters.empty()) {
        const std::string_view one = parameters.substr(0, parameters.find(';'));
        parameters.remove_prefix(std::min(one.size() + 1, parameters.size()));
        const std::size_t equals = std::min(one.find('='), one.size());
        const std::string_view value = one.substr(std::min(equals + 1, one.size()));
        const bool is_transport = base::equals_ignoring_case(one.substr(0, equals), "transport");
        if (is_transport && !is_transport_known(value, hop)) {
            return false;
        }
    }
    return true;
}

} // namespace

bool is_sip_uri(std::string_view text, Hop hop) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view scheme = text.substr(0, colon);
    const bool is_known = base::equals_ignoring_case(scheme, "sip") ||
                          (hop != Hop::next && base::equals_ignoring_case(scheme, "sips"));
    if (!is_known || text.size() > uri_size_max || !is_graphic_ascii(text)) {
        return false;
    }
    std::string_view rest = text.substr(std::min(colon + 1, text.size()));
    if (const std::size_t at = rest.find('@'); at != npos) {
        rest.remove_prefix(at + 1);
    }
    rest = rest.substr(0, rest.find('?'));
    const std::size_t semicolon = std::min(rest.find(';'), rest.size());
    return is_host_and_port(rest.substr(0, semicolon)) &&
           are_transports_known(rest.substr(std::min(semicolon + 1, rest.size())), hop);
}

bool is_sip_address(std::string_view text, Hop hop) {
    const std::size_t open = text.find('<');
    if (open == npos) {
        return is_sip_uri(text, hop);
    }
    const std::size_t close = text.find('>', open);
    return close != npos && is_sip_uri(text.substr(open + 1, close - open - 1), hop);
}

} // namespace revenant::journal
