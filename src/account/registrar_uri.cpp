#include "account/registrar_uri.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "revenant/base/text.hpp"

namespace revenant::account {

namespace {

constexpr std::size_t uri_max = 512;

bool is_fit(char c) {
    return c > ' ' && c < '\x7F' && c != '<' && c != '>' && c != '"' && c != '\\' && c != ',';
}

// What is behind scheme and user, without headers: "host:port;parameters".
std::string_view rest_of(std::string_view uri) {
    uri.remove_prefix(std::min(uri.find(':') + 1, uri.size()));
    uri = uri.substr(0, uri.find('?'));
    const std::size_t at = uri.find('@');
    return at == std::string_view::npos ? uri : uri.substr(at + 1);
}

std::string_view place_of(std::string_view uri) {
    const std::string_view rest = rest_of(uri);
    return rest.substr(0, rest.find(';'));
}

std::string scheme_of(std::string_view uri) {
    return base::to_lower(uri.substr(0, uri.find(':')));
}

} // namespace

std::string registrar_uri(std::string_view uri) {
    const std::string scheme = scheme_of(uri);
    if (uri.size() > uri_max || (scheme != "sip" && scheme != "sips") ||
        !std::ranges::all_of(uri, is_fit) || place_of(uri).empty()) {
        return {};
    }
    const std::string_view rest = rest_of(uri);
    const std::string_view place = place_of(uri);
    std::string out = scheme + ":" + std::string{place};
    std::string_view parameters = rest.substr(place.size());
    while (!parameters.empty()) { // each with its ';'
        const std::string_view one = parameters.substr(0, parameters.find(';', 1));
        parameters.remove_prefix(one.size());
        if (!base::to_lower(one).starts_with(";method=") && one.size() > 1) {
            out += one;
        }
    }
    return out;
}

bool is_same_place(std::string_view a, std::string_view b) {
    return base::equals_ignoring_case(place_of(a), place_of(b));
}

bool is_secure(std::string_view uri) {
    return scheme_of(uri) == "sips" ||
           base::to_lower(uri).find(";transport=tls") != std::string::npos;
}

} // namespace revenant::account
