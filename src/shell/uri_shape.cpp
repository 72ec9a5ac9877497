#include "shell/uri_shape.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "revenant/base/text.hpp"

namespace revenant::shell {

namespace {

constexpr std::string_view scheme = "sip:";

bool is_of(std::string_view text, std::string_view more) {
    return !text.empty() && std::ranges::all_of(text, [more](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

bool is_host(std::string_view host) {
    if (host.starts_with('[')) {
        return host.ends_with(']') && is_of(host.substr(1, host.size() - 2), ":.");
    }
    return is_of(host, ".-_") && host.front() != '.' && host.front() != '-';
}

struct Range {
    std::size_t begin = 0;
    std::size_t end = 0; // the same: there is none
};

// Where the password of the URI in `text` is, also where the scheme is another one, or forgotten.
Range password_in(std::string_view text) {
    const std::string lower = base::to_lower(text);
    std::size_t user = 0;
    for (const std::string_view known : {"sip:", "sips:"}) {
        const std::size_t at = lower.find(known);
        user = at == std::string::npos ? user : at + known.size();
    }
    const std::size_t host = text.rfind('@');
    const std::size_t colon = text.find(':', user);
    return host != std::string_view::npos && colon < host ? Range{.begin = colon + 1, .end = host}
                                                          : Range{};
}

} // namespace

std::optional<UriShape> shape_of_uri(std::string_view text) {
    if (!base::equals_ignoring_case(text.substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    UriShape shape;
    std::string_view rest = text.substr(scheme.size());
    // A user may have ';' and '?', a parameter has no '@' that is not escaped.
    const std::size_t at = rest.rfind('@');
    if (at != std::string_view::npos) {
        shape.user = rest.substr(0, at);
        rest.remove_prefix(at + 1);
        if (shape.user.empty() || shape.user.find('@') != std::string_view::npos) {
            return std::nullopt;
        }
    }
    const std::size_t semicolon = std::min(rest.find(';'), rest.size());
    shape.parameters = rest.substr(semicolon);
    rest = rest.substr(0, semicolon);
    const std::size_t close = rest.starts_with('[') ? rest.find(']') : 0;
    const std::size_t colon = rest.find(':', std::min(close, rest.size()));
    shape.host = rest.substr(0, colon);
    const bool has_port = colon != std::string_view::npos;
    if (!is_host(shape.host) || (has_port && !base::to_port(rest.substr(colon + 1)))) {
        return std::nullopt;
    }
    return shape;
}

bool has_uri_password(std::string_view text) {
    const Range range = password_in(text);
    return range.begin < range.end;
}

std::string without_uri_password(std::string_view text) {
    const Range range = password_in(text);
    if (range.begin >= range.end) {
        return std::string{text};
    }
    return std::string{text.substr(0, range.begin)}.append("***").append(text.substr(range.end));
}

} // namespace revenant::shell
