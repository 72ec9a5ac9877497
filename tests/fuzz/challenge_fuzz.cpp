// Whatever a server asks for, what is read of it is within bounds and can be written and read
// again, and the answer is one header field.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/log.hpp"
#include "sip/sofia/challenges.hpp"
#include "sip/sofia/digest.hpp"
#include "sip/sofia/nua.hpp"

namespace {

using namespace revenant;
using Message = std::unique_ptr<msg_t, sip::Calls<msg_destroy>>;

void must(bool holds, std::string_view what) {
    if (!holds) {
        base::die(what);
    }
}

bool is_clean(std::string_view text) {
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
}

void look_at(const account::Challenge& challenge) {
    must(challenge.realm.size() <= 256 && challenge.nonce.size() <= 1024 &&
             challenge.opaque.size() <= 1024 && challenge.algorithm.size() <= 32,
         "longer than is read");
    must(!challenge.nonce.empty(), "a challenge without a nonce");
    must(is_clean(challenge.realm) && is_clean(challenge.nonce) && is_clean(challenge.opaque),
         "a control character");
    must(sip::strength_of(challenge.algorithm).has_value(), "an algorithm that we do not know");
    must(challenge.qop.empty() || challenge.qop == "auth" || challenge.qop == "auth-int",
         "a qop that we do not know");
    must(challenge.nonce_count == 0, "a count before it was used");
}

void read_again(const account::Challenge& challenge) {
    const sip::Home home = sip::make_home();
    const msg_header_t* header =
        msg_header_make(home.get(), sip_www_authenticate_class, sip::text_of(challenge).c_str());
    must(header != nullptr, "our own challenge cannot be parsed");
    const auto again = sip::challenge_of(*header->sh_auth, challenge.is_proxys);
    must(again && again->challenge == challenge, "another challenge is read than was written");
}

void answer(account::Challenge challenge) {
    challenge.nonce_count = 0xFFFFFFFF;
    const std::string value =
        sip::authorization(challenge, {.realm = {}, .user = "a\"\\b", .password = "p:q"},
                           {.method = "INVITE", .uri = "sip:a@b", .body = "body"});
    must(value.starts_with("Digest username=\"a\\\"\\\\b\", ") && is_clean(value),
         "an answer that is none");
    const sip::Home home = sip::make_home();
    must(msg_header_make(home.get(), sip_authorization_class, value.c_str()) != nullptr,
         "our own answer cannot be parsed");
}

void look_at(const sip_t& sip) {
    const auto all = sip::challenges_of(sip);
    must(all.size() <= 16, "more challenges than are taken");
    for (const account::Challenged& one : all) {
        look_at(one.challenge);
        must(!one.has_credentials, "credentials from nowhere");
        must(std::ranges::count_if(all,
                                   [&](const account::Challenged& other) {
                                       return other.challenge.realm == one.challenge.realm &&
                                              other.challenge.is_proxys == one.challenge.is_proxys;
                                   }) == 1,
             "two challenges of one realm");
        read_again(one.challenge);
        answer(one.challenge);
    }
    for (const auto* info : {sip.sip_authentication_info, sip.sip_proxy_authentication_info}) {
        const std::string next = sip::next_nonce_of(info);
        must(next.size() <= 1024 && is_clean(next), "a next nonce that cannot be said");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are read as characters and only for this call.
    const std::string_view rows{reinterpret_cast<const char*>(data), size};
    std::string text = "SIP/2.0 401 X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
                       "From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>;tag=b\r\nCall-ID: id\r\n"
                       "CSeq: 1 INVITE\r\n";
    text.append(rows).append("\r\nContent-Length: 0\r\n\r\n");
    const Message message{
        msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()))};
    const sip_t* sip = message ? sip_object(message.get()) : nullptr;
    if (sip != nullptr) {
        look_at(*sip);
    }
    return 0;
}
