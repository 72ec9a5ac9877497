#include "sip/sofia/registrar_answer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t routes_max = 16; // as many as a record has room for
constexpr std::size_t contacts_max = 1000;
constexpr std::uint32_t delta_max = std::numeric_limits<std::uint32_t>::max();

std::uint32_t bounded(unsigned long seconds) {
    return static_cast<std::uint32_t>(std::min<unsigned long>(seconds, delta_max));
}

// RFC 3261 §25.1 delta-seconds. What is more than fits is the most (RFC 3261 §20.10 has 2**32-1).
std::optional<std::uint32_t> read_delta(const char* text) {
    const std::string digits = text_of(text);
    const bool is_number =
        !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    return is_number ? base::to_u32(digits).value_or(delta_max) : std::optional<std::uint32_t>{};
}

std::string unquoted(std::string text) {
    return text.size() >= 2 && text.front() == '"' && text.back() == '"'
               ? text.substr(1, text.size() - 2)
               : text;
}

// Whether that is the binding of ours. Registrars give a Contact back in another spelling.
bool is_ours(const sip_contact_t& contact, const account::Registration& record) {
    const char* instance = msg_header_find_param(contact.m_common, "+sip.instance=");
    if (instance != nullptr && !record.instance_id.empty() &&
        base::equals_ignoring_case(unquoted(text_of(instance)), "<" + record.instance_id + ">")) {
        return true;
    }
    const Home home = make_home();
    const url_t* own = url_make(home.get(), record.contact.c_str());
    return own != nullptr && url_cmp(contact.m_url, own) == 0;
}

std::optional<std::uint32_t> granted(const sip_t& response, const account::Registration& record) {
    std::size_t count = 0;
    for (const sip_contact_t* contact = response.sip_contact;
         contact != nullptr && count < contacts_max; contact = contact->m_next, ++count) {
        if (!is_ours(*contact, record)) {
            continue;
        }
        if (const auto own = read_delta(contact->m_expires)) {
            return own;
        }
        return response.sip_expires != nullptr ? bounded(response.sip_expires->ex_delta)
                                               : record.asked_s;
    }
    // Some list none at all, and mean ours by Expires.
    const bool is_meant = response.sip_contact == nullptr && response.sip_expires != nullptr;
    return is_meant ? std::optional{bounded(response.sip_expires->ex_delta)} : std::nullopt;
}

// A route set that we cannot send by is none: parts of it are of no use.
std::vector<std::string> service_route(const sip_t& response) {
    std::vector<std::string> all = routes(response.sip_service_route, false);
    const bool is_usable = !all.empty() && all.size() <= routes_max && read_uri(all.front());
    return is_usable ? all : std::vector<std::string>{};
}

std::vector<std::string> path(const sip_t& response) {
    std::vector<std::string> all = routes(response.sip_path, false);
    all.resize(std::min(all.size(), routes_max));
    return all;
}

std::string gruu_of(const sip_t& response, const account::Registration& record) {
    for (const sip_contact_t* contact = response.sip_contact; contact != nullptr;
         contact = contact->m_next) {
        const char* gruu = msg_header_find_param(contact->m_common, "pub-gruu=");
        if (gruu == nullptr || !is_ours(*contact, record)) {
            continue;
        }
        const auto uri = read_uri(unquoted(text_of(gruu)));
        return uri ? uri->text : std::string{};
    }
    return {};
}

// As the first hop has seen us (RFC 3581 §4).
call::Endpoint public_address(const sip_t& response, const account::Registration& record) {
    const sip_via_t* via = response.sip_via;
    if (via == nullptr) {
        return {};
    }
    const std::string received = text_of(via->v_received);
    const auto port = base::to_port(text_of(via->v_rport));
    const std::string host = received.empty() ? record.local.address : received;
    const bool is_address = base::SocketAddress::numeric(host, 1).has_value();
    return is_address && port ? call::Endpoint{.address = host, .port = *port} : call::Endpoint{};
}

} // namespace

account::event::Answered read_registrar_answer(const account::Registration& record,
                                               const sip_t& response) {
    const int status = response.sip_status->st_status;
    account::event::Answered answer{
        .cseq = record.cseq,
        .status = static_cast<std::uint16_t>(status),
        .reason = base::printable(text_of(response.sip_status->st_phrase), 200)};
    if (response.sip_retry_after != nullptr) {
        answer.retry_after_s = bounded(response.sip_retry_after->af_delta);
    }
    if (response.sip_min_expires != nullptr) {
        answer.min_expires_s = bounded(response.sip_min_expires->me_delta);
    }
    if (status >= 300 && status < 400 && response.sip_contact != nullptr) {
        const auto uri = read_uri(uri_text(response.sip_contact->m_url));
        answer.moved_to = uri ? uri->text : std::string{};
    }
    if (status < 300) {
        answer.grant = account::Grant{.expires_s = granted(response, record),
                                      .service_route = service_route(response),
                                      .path = path(response),
                                      .gruu = gruu_of(response, record),
                                      .public_address = public_address(response, record)};
    }
    return answer;
}

} // namespace revenant::sip
