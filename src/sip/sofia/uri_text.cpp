#include "sip/sofia/uri_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sofia-sip/hostdomain.h>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t uri_length_max = 1024;

base::Result<std::string_view> bare_uri(std::string_view text) {
    text = base::trim(text);
    if (text.size() > uri_length_max) {
        return base::fail(base::Errc::bad_input, "a SIP URI of over 1024 bytes");
    }
    const auto is_bad = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte >= 0x7F;
    };
    if (text.starts_with('<') && text.ends_with('>')) {
        text = text.substr(1, text.size() - 2);
    }
    if (text.empty() || std::ranges::any_of(text, is_bad)) {
        return base::fail(base::Errc::bad_input,
                          fmt::format("\"{}\" is not a SIP URI; write sip:USER@HOST[:PORT]",
                                      base::printable(text, 80)));
    }
    return text;
}

std::string without_brackets(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    return std::string{host};
}

} // namespace

std::string text_of(const char* text) {
    return text != nullptr ? std::string{text} : std::string{};
}

std::string uri_text(const url_t* url) {
    if (url == nullptr) {
        return {};
    }
    const Home home = make_home();
    return text_of(url_as_string(home.get(), url));
}

std::string name_addr(const char* display, const url_t* url) {
    std::string name = text_of(display);
    // A quoted name may go on in the next line (RFC 3261 §7.3.1), and comes with the line's end.
    std::ranges::replace_if(
        name, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    const std::string uri = uri_text(url);
    return name.empty() ? fmt::format("<{}>", uri) : fmt::format("{} <{}>", name, uri);
}

std::vector<std::string> routes(const sip_record_route_t* first, bool reversed) {
    std::vector<std::string> result;
    for (const sip_record_route_t* r = first; r != nullptr && result.size() < 64; r = r->r_next) {
        result.push_back(fmt::format("<{}>", uri_text(r->r_url)));
    }
    if (reversed) {
        std::ranges::reverse(result);
    }
    return result;
}

bool is_host(const std::string& host) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
    };
    return !host.empty() &&
           (std::ranges::all_of(host, fits) || host_is_ip6_reference(host.c_str()) != 0);
}

// The URI's parameter, in small letters; empty: it has none.
std::string transport_in(const url_t& url) {
    std::array<char, 32> value{};
    const isize_t length =
        url_param(url.url_params, "transport", value.data(), isize_t{value.size()});
    return length > 0 ? base::to_lower(text_of(value.data())) : std::string{};
}

base::Result<Uri> read_uri(std::string_view text) {
    const auto bare = bare_uri(text);
    if (!bare) {
        return base::fail(bare.error());
    }
    std::string whole{*bare};
    const std::size_t colon = whole.find(':');
    const std::string scheme = base::to_lower(whole.substr(0, std::min(colon, whole.size())));
    if (scheme == "sips" || scheme == "tel") {
        return base::fail(base::Errc::unsupported,
                          fmt::format("{}: URIs are not supported; use sip:", scheme));
    }
    if (scheme != "sip") {
        whole.insert(0, "sip:");
    }
    const Home home = make_home();
    const url_t* url = url_make(home.get(), whole.c_str());
    const auto bad = [&](std::string_view why) {
        return base::fail(base::Errc::bad_input,
                          fmt::format("\"{}\" is not a SIP URI: {}; write sip:USER@HOST[:PORT]",
                                      base::printable(*bare, 80), why));
    };
    if (url == nullptr || url->url_type != url_sip) {
        return bad("it cannot be read");
    }
    if (url->url_host == nullptr || *url->url_host == '\0') {
        return bad("it names no host");
    }
    if (!is_host(url->url_host)) {
        return bad("the host is neither a name nor an address");
    }
    Uri result{.text = uri_text(url),
               .user = text_of(url->url_user),
               .host = without_brackets(text_of(url->url_host)),
               .port = 0,
               .transport = std::nullopt,
               .loose_route = url_has_param(url, "lr") != 0};
    if (url->url_port != nullptr && *url->url_port != '\0') {
        const auto port = base::to_port(url->url_port);
        if (!port) {
            return bad("a port is a number from 1 to 65535");
        }
        result.port = *port;
    }
    const std::string transport = transport_in(*url);
    if (transport == "tcp") {
        result.transport = call::Transport::tcp;
    } else if (transport == "udp") {
        result.transport = call::Transport::udp;
    } else if (!transport.empty()) {
        return base::fail(base::Errc::unsupported,
                          fmt::format("transport {} is not supported; use udp or tcp",
                                      base::printable(transport)));
    }
    return result;
}

std::string host_port(const call::Endpoint& endpoint) {
    const bool v6 = endpoint.address.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
              : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

std::string with_to_tag(std::string_view request, const std::string& tag, bool reliable) {
    msg_t* message =
        msg_make(sip_default_mclass(), 0, request.data(), static_cast<ssize_t>(request.size()));
    const std::unique_ptr<msg_t, Calls<msg_destroy>> owner{message};
    sip_t* sip = message != nullptr ? sip_object(message) : nullptr;
    if (sip == nullptr || sip->sip_request == nullptr || sip->sip_to == nullptr ||
        sip_to_tag(msg_home(message), sip->sip_to, tag.c_str()) < 0) {
        return {};
    }
    if (!reliable && sip->sip_require != nullptr) {
        msg_header_remove_param(sip->sip_require->k_common, "100rel");
        if (sip->sip_require->k_items == nullptr || *sip->sip_require->k_items == nullptr) {
            sip_header_remove(message, sip, reinterpret_cast<sip_header_t*>(sip->sip_require));
        }
    }
    size_t length = 0;
    const char* text = msg_as_string(msg_home(message), message, nullptr, 0, &length);
    return text != nullptr ? std::string{text, length} : std::string{};
}

} // namespace revenant::sip
