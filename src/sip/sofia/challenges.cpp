#include "sip/sofia/challenges.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/text.hpp"
#include "sip/sofia/digest.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t realm_bytes_max = 256;
constexpr std::size_t nonce_bytes_max = 1024; // and of what is given back as it is
constexpr std::size_t looked_at_max = 64;     // challenges in a message
constexpr std::size_t taken_max = 16;

// A token or a quoted-string (RFC 3261 §25.1), without quotes and escapes; nothing if it is
// neither, or has a control character.
std::optional<std::string> value_of(std::string_view text) {
    const bool is_quoted = text.starts_with('"');
    if (is_quoted) {
        text.remove_prefix(1);
        if (!text.ends_with('"')) {
            return std::nullopt;
        }
        text.remove_suffix(1);
    }
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_quoted && text[at] == '\\' && ++at == text.size()) {
            return std::nullopt; // it has escaped the closing quote
        }
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte == 0x7F || (!is_quoted && byte == '"')) {
            return std::nullopt;
        }
        out.push_back(text[at]);
    }
    return out;
}

// What one challenge says; nothing is a parameter that it has not.
struct Said {
    std::optional<std::string> realm;
    std::optional<std::string> nonce;
    std::optional<std::string> opaque;
    std::optional<std::string> algorithm;
    std::optional<std::string> qop;
    std::optional<std::string> stale;
    bool is_broken = false;
};

void take(Said& said, std::string_view name, std::string_view text) {
    const std::pair<std::string_view, std::optional<std::string> Said::*> places[] = {
        {"realm", &Said::realm},         {"nonce", &Said::nonce}, {"opaque", &Said::opaque},
        {"algorithm", &Said::algorithm}, {"qop", &Said::qop},     {"stale", &Said::stale}};
    for (const auto& [known, member] : places) {
        if (!base::equals_ignoring_case(name, known)) {
            continue;
        }
        auto value = value_of(text);
        // Twice is broken too: others might take the other one.
        said.is_broken = said.is_broken || !value || (said.*member).has_value();
        said.*member = std::move(value);
    }
}

// The best of a list such as "auth,auth-int" that we can do; nothing: there is none.
std::optional<std::string> qop_of(const std::optional<std::string>& list) {
    if (!list) {
        return std::string{}; // RFC 2069
    }
    bool has_integrity = false;
    for (std::string_view rest = *list; !rest.empty();) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string_view one = base::trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (base::equals_ignoring_case(one, "auth")) {
            return "auth";
        }
        has_integrity = has_integrity || base::equals_ignoring_case(one, "auth-int");
    }
    return has_integrity ? std::optional<std::string>{"auth-int"} : std::nullopt;
}

std::optional<account::Challenged> challenged(const Said& said, bool is_proxys) {
    const auto qop = qop_of(said.qop);
    if (said.is_broken || !said.realm || said.realm->size() > realm_bytes_max || !said.nonce ||
        said.nonce->empty() || said.nonce->size() > nonce_bytes_max ||
        (said.opaque && said.opaque->size() > nonce_bytes_max) || !qop ||
        (said.algorithm && said.algorithm->empty()) ||
        !strength_of(said.algorithm.value_or(std::string{}))) {
        return std::nullopt;
    }
    return account::Challenged{.challenge = {.is_proxys = is_proxys,
                                             .realm = *said.realm,
                                             .nonce = *said.nonce,
                                             .opaque = said.opaque.value_or(std::string{}),
                                             .algorithm = said.algorithm.value_or(std::string{}),
                                             .qop = *qop},
                               .is_stale =
                                   said.stale && base::equals_ignoring_case(*said.stale, "true")};
}

class Collection {
public:
    void add(const msg_auth_t& header, bool is_proxys) {
        std::string_view scheme = header.au_scheme != nullptr ? header.au_scheme : "";
        Said said;
        for (const msg_param_t* one = header.au_params; one != nullptr && *one != nullptr; ++one) {
            std::string_view text = *one;
            const std::size_t equals = text.find('=');
            std::string_view name = base::trim(text.substr(0, equals));
            // Another challenge in the same row, which SIP does not allow (RFC 3261 §7.3.1) and
            // HTTP does: "Digest realm=…".
            if (const std::size_t blank = name.find(' '); blank != std::string_view::npos) {
                keep(scheme, said, is_proxys);
                scheme = name.substr(0, blank);
                name = base::trim(name.substr(blank));
                said = {};
            }
            if (equals != std::string_view::npos) {
                take(said, name, base::trim(text.substr(equals + 1)));
            }
        }
        keep(scheme, said, is_proxys);
    }

    [[nodiscard]] bool is_full() const { return looked_at_ >= looked_at_max; }

    [[nodiscard]] std::vector<account::Challenged> all() && { return std::move(all_); }

private:
    void keep(std::string_view scheme, const Said& said, bool is_proxys) {
        if (++looked_at_ > looked_at_max || !base::equals_ignoring_case(scheme, "Digest")) {
            return;
        }
        auto one = challenged(said, is_proxys);
        if (!one) {
            return;
        }
        const auto same = std::ranges::find_if(all_, [&](const account::Challenged& other) {
            return other.challenge.is_proxys == is_proxys &&
                   other.challenge.realm == one->challenge.realm;
        });
        if (same == all_.end()) {
            if (all_.size() < taken_max) {
                all_.push_back(std::move(*one));
            }
        } else if (strength_of(one->challenge.algorithm) > strength_of(same->challenge.algorithm)) {
            *same = std::move(*one);
        }
    }

    std::vector<account::Challenged> all_;
    std::size_t looked_at_ = 0;
};

} // namespace

std::vector<account::Challenged> challenges_of(const sip_t& response) {
    Collection collection;
    for (const bool is_proxys : {false, true}) {
        const msg_auth_t* one =
            is_proxys ? response.sip_proxy_authenticate : response.sip_www_authenticate;
        for (; one != nullptr && !collection.is_full(); one = one->au_next) {
            collection.add(*one, is_proxys);
        }
    }
    return std::move(collection).all();
}

std::optional<account::Challenged> challenge_of(const msg_auth_t& header, bool is_proxys) {
    Collection collection;
    collection.add(header, is_proxys);
    auto all = std::move(collection).all();
    return all.size() == 1 ? std::optional{std::move(all.front())} : std::nullopt;
}

std::string text_of(const account::Challenge& challenge) {
    std::string text =
        fmt::format("Digest realm={}, nonce={}", quoted(challenge.realm), quoted(challenge.nonce));
    if (!challenge.opaque.empty()) {
        text += ", opaque=" + quoted(challenge.opaque);
    }
    if (!challenge.algorithm.empty()) {
        text += ", algorithm=" + challenge.algorithm;
    }
    if (!challenge.qop.empty()) {
        text += ", qop=" + quoted(challenge.qop);
    }
    return text;
}

std::string next_nonce_of(const msg_auth_info_t* info) {
    if (info == nullptr) {
        return {};
    }
    for (const msg_param_t* one = info->ai_params; one != nullptr && *one != nullptr; ++one) {
        const std::string_view text = *one;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos &&
            base::equals_ignoring_case(base::trim(text.substr(0, equals)), "nextnonce")) {
            const auto value = value_of(base::trim(text.substr(equals + 1)));
            return value && value->size() <= nonce_bytes_max ? *value : std::string{};
        }
    }
    return {};
}

} // namespace revenant::sip
