#include "sip/sofia/message_guard.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/sdp_reader.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr std::uint32_t cseq_end = 0x8000'0000; // RFC 3261 §8.1.1.5
constexpr std::size_t uri_length_max = 1024;
constexpr std::size_t routes_max = 64;

enum class Why : std::uint8_t {
    none,
    sips,
    scheme,
    host,
    port,
    characters,
    maddr,
    transport,
    v4,
    v6,
    udp,
    tcp
};

// In the order of Why.
constexpr std::array<std::string_view, 12> texts{"",
                                                 "is a sips: URI, and TLS is not spoken here",
                                                 "is no sip: URI",
                                                 "names no host",
                                                 "has a port that is none",
                                                 "holds what no URI may, or over 1024 bytes",
                                                 "names no host in maddr",
                                                 "asks for a transport that is not spoken here",
                                                 "is IPv4, and this --listen is IPv6",
                                                 "is IPv6, and this --listen is IPv4",
                                                 "asks for UDP, and this --listen is TCP",
                                                 "asks for TCP, and this --listen is UDP"};
// Added to Why when it is the Record-Route's; one byte that `sip_user` points to says both.
constexpr std::size_t of_route = texts.size();
constexpr std::array<char, 2 * of_route> marks{};

std::string_view text_of_why(Why why) {
    return texts.at(static_cast<std::size_t>(why));
}

// The value of a parameter; empty when it is not there, or too long to be any that we know.
std::string parameter(const url_t& url, const char* name) {
    std::array<char, 64> value{};
    const isize_t length = url_param(url.url_params, name, value.data(), isize_t{value.size()});
    return length > 0 && length <= isize_t{value.size()} ? base::to_lower(text_of(value.data()))
                                                         : std::string{};
}

bool is_clean(const std::string& text) {
    return text.size() <= uri_length_max && std::ranges::all_of(text, [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte > 0x20 && byte < 0x7F;
           });
}

Why judge(const url_t& url) {
    if (url.url_type == url_sips) {
        return Why::sips;
    }
    if (url.url_type != url_sip) {
        return Why::scheme;
    }
    if (url.url_host == nullptr || *url.url_host == '\0' || !is_host(url.url_host)) {
        return Why::host;
    }
    if (url.url_port != nullptr && *url.url_port != '\0' && !base::to_port(url.url_port)) {
        return Why::port;
    }
    if (!is_clean(uri_text(&url))) {
        return Why::characters;
    }
    if (url_has_param(&url, "maddr") != 0 && !is_host(parameter(url, "maddr"))) {
        return Why::maddr;
    }
    const std::string transport = parameter(url, "transport");
    const bool is_spoken = transport == "udp" || transport == "tcp";
    return url_has_param(&url, "transport") == 0 || is_spoken ? Why::none : Why::transport;
}

// What stands against sending from there to a URI against which nothing else does.
Why judge_reach(const url_t& url, const Reach& reach) {
    const std::string maddr = parameter(url, "maddr");
    const std::string host = maddr.empty() ? text_of(url.url_host) : maddr;
    const bool is_v6 = host.find(':') != std::string::npos;
    const bool is_v4 = !is_v6 && base::SocketAddress::numeric(host, 0).has_value();
    if (is_v4 && !reach.v4) {
        return Why::v4;
    }
    if (is_v6 && !reach.v6) {
        return Why::v6;
    }
    const std::string transport = parameter(url, "transport");
    if (transport == "udp" && !reach.udp) {
        return Why::udp;
    }
    return transport == "tcp" && !reach.tcp ? Why::tcp : Why::none;
}

Why judge_next_hop(const url_t& url, const Reach& reach) {
    const Why why = judge(url);
    return why == Why::none ? judge_reach(url, reach) : why;
}

// The sender is to be reached at its Contact (RFC 3261 §12.1.1, §12.2.2; RFC 3311 §5.1).
bool refreshes_target(sip_method_t method) {
    return method == sip_method_invite || method == sip_method_update ||
           method == sip_method_subscribe || method == sip_method_notify ||
           method == sip_method_refer;
}

Why judge_contact(const sip_contact_t* contact, const Reach& reach) {
    return contact != nullptr ? judge_next_hop(*contact->m_url, reach) : Why::none;
}

// What speaks against the route set; `last`: the next hop stands last, as in a response, else
// first (RFC 3261 §12.1). Those behind it are only said again.
Why judge_routes(const sip_record_route_t* first, bool last, const Reach& reach) {
    std::size_t count = 0;
    for (const sip_record_route_t* route = first; route != nullptr; route = route->r_next) {
        const bool is_next_hop = last ? route->r_next == nullptr : route == first;
        const Why why = is_next_hop ? judge_next_hop(*route->r_url, reach) : judge(*route->r_url);
        const bool is_others = why == Why::sips || why == Why::transport;
        if (++count > routes_max) {
            return Why::characters;
        }
        if (why != Why::none && (is_next_hop || !is_others)) {
            return why;
        }
    }
    return Why::none;
}

// Behind a Record-Route, which makes a route set, the Contact is what the last hop has to reach.
bool has_route(const sip_t& sip) {
    const bool may_make_dialog = sip.sip_request == nullptr || sip.sip_to->a_tag == nullptr;
    return may_make_dialog && sip.sip_record_route != nullptr;
}

const char* unacceptable_request(const sip_t& sip, const Reach& reach) {
    if (!refreshes_target(sip.sip_request->rq_method)) {
        return nullptr;
    }
    if (judge_contact(sip.sip_contact, has_route(sip) ? Reach{} : reach) != Why::none) {
        return "Contact";
    }
    const bool is_bad =
        has_route(sip) && judge_routes(sip.sip_record_route, false, reach) != Why::none;
    return is_bad ? "Record-Route" : nullptr;
}

const char* unacceptable_response(const sip_t& sip) {
    const int status = sip.sip_status->st_status; // as written: up to 2^31 - 2
    return status >= 100 && status <= 699 ? nullptr : "Status";
}

// A time that the library adds to others in 32 bits, and serves at once when it is 0.
constexpr unsigned long session_min_s = 90; // RFC 4028 §4
constexpr unsigned long session_max_s = 7UL * 24 * 3600;

void bound_times(sip_t& sip) {
    if (sip_session_expires_t* expires = sip.sip_session_expires;
        expires != nullptr && sip.sip_status != nullptr) {
        expires->x_delta = std::clamp(expires->x_delta, session_min_s, session_max_s);
    } else if (expires != nullptr) {
        expires->x_delta = std::min(expires->x_delta, session_max_s);
    }
    if (sip.sip_min_se != nullptr) {
        sip.sip_min_se->min_delta = std::min(sip.sip_min_se->min_delta, session_max_s);
    }
}

bool has_any(const msg_param_t* parameters) {
    return parameters != nullptr && parameters[0] != nullptr;
}

// The digest reader asserts that there are parameters.
void check_challenges(sip_t& sip) {
    for (msg_auth_t** first : {&sip.sip_www_authenticate, &sip.sip_proxy_authenticate}) {
        for (msg_auth_t** link = first; *link != nullptr;) {
            if (has_any((*link)->au_params)) {
                link = &(*link)->au_next;
            } else {
                *link = (*link)->au_next;
            }
        }
    }
    for (auto** info : {&sip.sip_authentication_info, &sip.sip_proxy_authentication_info}) {
        if (*info != nullptr && !has_any((*info)->ai_params)) {
            *info = nullptr;
        }
    }
}

// RFC 3262 §3: a reliable response has a tag, and numbers from 1 to 2^31 - 1.
void check_reliable(sip_t& sip) {
    if (sip.sip_status != nullptr && sip.sip_rseq != nullptr &&
        (sip.sip_to->a_tag == nullptr || sip.sip_rseq->rs_response == 0 ||
         sip.sip_rseq->rs_response >= cseq_end)) {
        sip.sip_rseq = nullptr;
    }
}

// The library ends the call for a description that it cannot read, in a provisional response too:
// it sends nothing, acknowledges the 2xx that follows, and lets nobody say BYE any more. Such a
// response says less than it could, and that is all.
void check_early_description(sip_t& sip) {
    if (sip.sip_status == nullptr || sip.sip_status->st_status >= 200) {
        return;
    }
    const auto description = description_in(sip);
    if (description && !read_sdp(*description)) {
        sip.sip_payload = nullptr;
    }
}

// The URIs of a dialog, without the header fields that a URI may ask for: those are for redirection
// (§19.1.5), and would be sent in our requests.
void forget_uri_headers(sip_t& sip) {
    for (sip_contact_t* contact = sip.sip_contact; contact != nullptr; contact = contact->m_next) {
        contact->m_url->url_headers = nullptr;
    }
    for (auto* route = sip.sip_record_route; route != nullptr; route = route->r_next) {
        route->r_url->url_headers = nullptr;
    }
}

} // namespace

bool may_be_message(std::string_view datagram) {
    const auto first = static_cast<unsigned char>(datagram.empty() ? '\0' : datagram.front());
    return (first > 0x20 && first < 0x7F) || first == ' ' || first == '\t' || first == '\r' ||
           first == '\n';
}

std::string_view why_unreachable(const url_t& url) {
    return text_of_why(judge(url));
}

bool is_within(const sip_t& sip, const Reach& reach) {
    const bool is_response = sip.sip_status != nullptr;
    return judge_contact(sip.sip_contact, reach) == judge_contact(sip.sip_contact, {}) &&
           judge_routes(sip.sip_record_route, is_response, reach) ==
               judge_routes(sip.sip_record_route, is_response, {});
}

const char* unacceptable(const sip_t& sip, const Reach& reach) {
    if (sip.sip_cseq->cs_seq >= cseq_end) {
        return "CSeq";
    }
    return sip.sip_request != nullptr ? unacceptable_request(sip, reach)
                                      : unacceptable_response(sip);
}

void take_off_unusable(sip_t& sip, const Reach& reach) {
    forget_uri_headers(sip);
    bound_times(sip);
    check_reliable(sip);
    check_challenges(sip);
    check_early_description(sip);
    const bool is_response = sip.sip_status != nullptr;
    const Why contact = judge_contact(sip.sip_contact, has_route(sip) ? Reach{} : reach);
    const Why route = judge_routes(sip.sip_record_route, is_response, reach);
    if (contact == Why::none && route == Why::none) {
        return;
    }
    // Without either the other cannot be used; nor can a reliable response be acknowledged, which
    // says what it says all the same.
    sip.sip_contact = nullptr;
    sip.sip_record_route = nullptr;
    if (is_response) {
        sip.sip_rseq = nullptr;
        const std::size_t mark = contact != Why::none ? static_cast<std::size_t>(contact)
                                                      : of_route + static_cast<std::size_t>(route);
        sip.sip_user = const_cast<char*>(&marks.at(mark)); // only ever compared
    }
}

std::string fault_of(const sip_t& sip) {
    const auto* mark = static_cast<const char*>(sip.sip_user);
    if (mark == nullptr) {
        return {};
    }
    const auto at = static_cast<std::size_t>(mark - marks.data());
    return at < of_route ? fmt::format("its Contact {}", texts.at(at))
                         : fmt::format("its Record-Route {}", texts.at(at - of_route));
}

} // namespace revenant::sip
