// What the guard lets through to the library is as its rules say, whatever message came; and it
// finds nothing more to take away in what it has left.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sofia-sip/sip_util.h>

#include "revenant/base/log.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"

namespace {

using namespace revenant;
using Message = std::unique_ptr<msg_t, sip::Calls<msg_destroy>>;

void must(bool holds, std::string_view what) {
    if (!holds) {
        base::die(what);
    }
}

sip::Reach reach_by(std::uint8_t bits) {
    return {.v4 = (bits & 1) != 0,
            .v6 = (bits & 2) != 0,
            .udp = (bits & 4) != 0,
            .tcp = (bits & 8) != 0};
}

void look_at_uris(const sip_t& sip) {
    for (const sip_contact_t* one = sip.sip_contact; one != nullptr; one = one->m_next) {
        must(one->m_url->url_headers == nullptr, "a Contact asks for header fields");
    }
    for (const sip_record_route_t* one = sip.sip_record_route; one != nullptr; one = one->r_next) {
        must(one->r_url->url_headers == nullptr, "a Record-Route asks for header fields");
    }
    must(sip.sip_contact == nullptr || sip::why_unreachable(*sip.sip_contact->m_url).empty(),
         "a Contact that nobody can send to");
}

void look_at_numbers(const sip_t& sip) {
    constexpr unsigned long week_s = 7UL * 24 * 3600;
    constexpr std::uint32_t end = 0x8000'0000;
    must(sip.sip_cseq->cs_seq < end, "a CSeq beyond 2^31");
    must(sip.sip_session_expires == nullptr || sip.sip_session_expires->x_delta <= week_s,
         "a session without end");
    must(sip.sip_min_se == nullptr || sip.sip_min_se->min_delta <= week_s, "a Min-SE of years");
    if (sip.sip_status == nullptr) {
        return;
    }
    must(sip.sip_status->st_status >= 100 && sip.sip_status->st_status <= 699, "no such status");
    must(sip.sip_session_expires == nullptr || sip.sip_session_expires->x_delta >= 90,
         "a refresh at once");
    const sip_rseq_t* rseq = sip.sip_rseq;
    must(rseq == nullptr ||
             (sip.sip_to->a_tag != nullptr && rseq->rs_response > 0 && rseq->rs_response < end),
         "a reliable response that none is");
}

void look_at_challenges(const sip_t& sip) {
    for (const msg_auth_t* first : {sip.sip_www_authenticate, sip.sip_proxy_authenticate}) {
        for (const msg_auth_t* one = first; one != nullptr; one = one->au_next) {
            must(one->au_params != nullptr && one->au_params[0] != nullptr,
                 "a challenge without parameters");
        }
    }
}

void look_at(sip_t& sip, const sip::Reach& reach) {
    if (sip_sanity_check(&sip) < 0 || sip::unacceptable(sip, reach) != nullptr) {
        return;
    }
    must(sip::fault_of(sip).empty(), "a fault before anything was taken off");
    sip::take_off_unusable(sip, reach);
    look_at_uris(sip);
    look_at_numbers(sip);
    look_at_challenges(sip);
    const bool is_bare = sip.sip_contact == nullptr && sip.sip_record_route == nullptr;
    must(is_bare || sip::fault_of(sip).empty(), "a fault, and what it is about is there");
    must(sip::unacceptable(sip, reach) == nullptr, "what is left is refused");
    const std::string fault = sip::fault_of(sip);
    sip::take_off_unusable(sip, reach);
    must(sip::fault_of(sip) == fault, "the second look finds something else");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const sip::Reach reach = reach_by(data[0]);
    // SAFETY: bytes are read as characters and only for this call.
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    static_cast<void>(sip::may_be_message(text));
    const Message message{
        msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()))};
    sip_t* sip = message ? sip_object(message.get()) : nullptr;
    if (sip != nullptr && (sip->sip_request != nullptr || sip->sip_status != nullptr)) {
        look_at(*sip, reach);
    }
    return 0;
}
