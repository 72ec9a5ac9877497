#include "sip/sofia/message_facts.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <netdb.h>

#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

std::string whole_text(msg_t* message) {
    if (message == nullptr) {
        return {};
    }
    const Home home = make_home();
    size_t length = 0;
    const char* text = msg_as_string(home.get(), message, msg_object(message), 0, &length);
    return text != nullptr ? std::string{text, length} : std::string{};
}

bool is_from_any_stand_in(const sip_t& sip) {
    return sip.sip_server != nullptr &&
           text_of(sip.sip_server->g_string).starts_with(stand_in_prefix);
}

std::optional<std::uint32_t> expires_of(const sip_t& sip) {
    // A date, as RFC 2543 had it, is none (RFC 3261 §20.19).
    if (sip.sip_expires == nullptr || sip.sip_expires->ex_date != 0) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(
        std::min<unsigned long>(sip.sip_expires->ex_delta, UINT32_MAX));
}

call::Endpoint source_of(msg_t* message) {
    if (message == nullptr) {
        return {};
    }
    const su_addrinfo_t* info = msg_addrinfo(message);
    if (info == nullptr || info->ai_addr == nullptr) {
        return {};
    }
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    if (::getnameinfo(info->ai_addr, static_cast<socklen_t>(info->ai_addrlen), host.data(),
                      host.size(), port.data(), port.size(),
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return {};
    }
    return {.address = host.data(), .port = base::to_port(port.data()).value_or(0)};
}

std::string allow_of(const sip_t* sip) {
    return sip != nullptr ? base::printable(header_text(sip->sip_allow), 500) : std::string{};
}

std::string realm_of(const sip_t* sip) {
    if (sip == nullptr) {
        return {};
    }
    const msg_auth_t* challenge = sip->sip_www_authenticate != nullptr
                                      ? sip->sip_www_authenticate
                                      : sip->sip_proxy_authenticate;
    if (challenge == nullptr) {
        return {};
    }
    std::string realm = text_of(msg_params_find(challenge->au_params, "realm="));
    if (realm.size() >= 2 && realm.front() == '"' && realm.back() == '"') {
        realm = realm.substr(1, realm.size() - 2);
    }
    return base::printable(realm, 200);
}

} // namespace revenant::sip
