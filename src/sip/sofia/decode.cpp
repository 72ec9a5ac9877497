#include "sip/sofia/decode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "revenant/base/log.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/event.hpp"
#include "sip/sofia/arrival.hpp"
#include "sip/sofia/failures.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/refusals.hpp"
#include "sip/sofia/sdp_reader.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

namespace event = call::event;

constexpr std::uint32_t interval_max_s = 7 * 24 * 3600; // a longer timer is none in practice
constexpr std::size_t header_max = 4096;

std::uint16_t status_of(int status) {
    return status >= 100 && status < 1000 ? static_cast<std::uint16_t>(status) : std::uint16_t{0};
}

std::string reason_of(const Raw& raw) {
    return base::printable(text_of(raw.phrase), 200);
}

std::uint32_t cseq_of(const sip_t* sip) {
    return sip != nullptr && sip->sip_cseq != nullptr ? sip->sip_cseq->cs_seq : 0;
}

std::uint32_t rseq_of(const sip_t* sip) {
    return sip != nullptr && sip->sip_rseq != nullptr
               ? static_cast<std::uint32_t>(sip->sip_rseq->rs_response)
               : 0;
}

std::string bounded(std::string text) {
    if (text.size() > header_max) {
        text.resize(header_max);
    }
    return text;
}

std::uint32_t seconds(unsigned long value) {
    return static_cast<std::uint32_t>(std::min<unsigned long>(value, interval_max_s));
}

bool is_from_stand_in(const sip_t* sip, std::string_view stand_in) {
    return sip != nullptr && sip->sip_server != nullptr && sip->sip_server->g_string != nullptr &&
           stand_in == sip->sip_server->g_string;
}

std::optional<call::RemoteSession> session_of(const sip_t* sip) {
    const auto body = sip != nullptr ? description_in(*sip) : std::nullopt;
    if (!body) {
        return std::nullopt;
    }
    auto session = read_sdp(*body);
    if (!session) {
        // A description without streams: what nobody can read is refused as what nobody can
        // play.
        base::log(base::Level::info, session.error().context);
        return call::RemoteSession{};
    }
    return std::move(*session);
}

// RFC 4028 §7.2, §9. The sides are named by who sent the *request*; `ours`: we did.
void read_timer(call::PeerFacts& facts, const sip_t& sip, bool ours, std::uint32_t own_interval_s) {
    if (sip.sip_min_se != nullptr) {
        facts.min_se_s = seconds(sip.sip_min_se->min_delta);
    }
    const sip_session_expires_t* expires = sip.sip_session_expires;
    const bool peer_can = sip_has_feature(sip.sip_supported, "timer") != 0 ||
                          sip_has_feature(sip.sip_require, "timer") != 0;
    if (expires != nullptr) {
        const std::string who = base::to_lower(text_of(expires->x_refresher));
        facts.session_expires_s = seconds(expires->x_delta);
        const bool is_uac = who == "uac" || (who.empty() && (ours || peer_can));
        facts.refresher = is_uac == ours ? call::Refresher::local : call::Refresher::remote;
        if (!ours && who.empty() && !peer_can) {
            facts.refresher = call::Refresher::local;
        }
        if (!ours && own_interval_s != 0) {
            facts.session_expires_s = std::min(facts.session_expires_s, own_interval_s);
        }
    } else if (own_interval_s != 0) {
        // The peer has no timer: we refresh for both.
        facts.session_expires_s = own_interval_s;
        facts.refresher = !ours && peer_can ? call::Refresher::remote : call::Refresher::local;
    }
}

call::PeerFacts facts_of(const Raw& raw, bool ours, std::uint32_t own_interval_s) {
    call::PeerFacts facts;
    if (raw.sip == nullptr) {
        return facts;
    }
    const sip_t& sip = *raw.sip;
    const sip_addr_t* remote = ours ? sip.sip_to : sip.sip_from;
    if (remote != nullptr) {
        facts.remote_tag = text_of(remote->a_tag);
    }
    if (sip.sip_contact != nullptr) {
        facts.remote_target = uri_text(sip.sip_contact->m_url);
    }
    facts.route_set = routes(sip.sip_record_route, ours);
    facts.allow = bounded(header_text(sip.sip_allow));
    facts.supported = bounded(header_text(sip.sip_supported));
    facts.source = source_of(raw.message);
    read_timer(facts, sip, ours, own_interval_s);
    return facts;
}

std::uint32_t retry_after(const sip_t* sip) {
    return sip != nullptr && sip->sip_retry_after != nullptr
               ? seconds(sip->sip_retry_after->af_delta)
               : 0;
}

std::uint32_t min_se(const sip_t* sip) {
    return sip != nullptr && sip->sip_min_se != nullptr ? seconds(sip->sip_min_se->min_delta) : 0;
}

bool is_challenge(const Raw& raw) {
    return (raw.status == 401 || raw.status == 407) && raw.sip != nullptr;
}

event::Challenged challenged(const Raw& raw, std::string_view method) {
    return {.status = status_of(raw.status),
            .cseq = cseq_of(raw.sip),
            .realm = realm_of(raw.sip),
            .have_credentials = false,
            .is_over = refusals::is_final(*raw.sip),
            .method = std::string{method}};
}

call::Event invite_answer(const Raw& raw, std::string_view stand_in, std::uint32_t own_interval_s) {
    const sip_t* sip = raw.sip;
    const std::uint16_t status = status_of(raw.status);
    if (status < 200) {
        // A retry of the stack's own (422) is reported as 100 with the real answer attached.
        const std::string tag =
            sip != nullptr && sip->sip_to != nullptr ? text_of(sip->sip_to->a_tag) : std::string{};
        return event::Progress{.status = status,
                               .reason = reason_of(raw),
                               .remote_tag = tag,
                               .min_se_s = min_se(sip),
                               .answer = status > 100 ? session_of(sip) : std::nullopt,
                               .rseq = rseq_of(sip),
                               .cseq = cseq_of(sip)};
    }
    if (status < 300 && is_from_stand_in(sip, stand_in)) {
        return event::Answered{.cseq = cseq_of(sip), .from_stand_in = true}; // says what we know
    }
    if (status < 300) {
        return event::Answered{.cseq = cseq_of(sip),
                               .facts = facts_of(raw, true, own_interval_s),
                               .answer = session_of(sip),
                               .fault = sip != nullptr ? fault_of(*sip) : std::string{}};
    }
    if (is_challenge(raw)) {
        return challenged(raw, "INVITE");
    }
    return event::Failed{.status = status,
                         .reason = final_reason_of(raw),
                         .is_local = failures::is_local(sip),
                         .cseq = cseq_of(sip),
                         .retry_after_s = retry_after(sip),
                         .min_se_s = min_se(sip)};
}

std::optional<call::Event>
request_answer(const Raw& raw, std::string_view method, std::string_view stand_in) {
    if (raw.status < 200) {
        return std::nullopt;
    }
    if (is_challenge(raw)) {
        return challenged(raw, method);
    }
    return event::RequestDone{.method = std::string{method},
                              .status = status_of(raw.status),
                              .reason = final_reason_of(raw),
                              .is_local = failures::is_local(raw.sip),
                              .allow = method == "OPTIONS" ? allow_of(raw.sip) : std::string{},
                              .cseq = cseq_of(raw.sip),
                              .from_stand_in = is_from_stand_in(raw.sip, stand_in)};
}

std::optional<call::Event> offered(const Raw& raw, bool update, std::uint32_t own_interval_s) {
    if (raw.status >= 200 || raw.sip == nullptr) {
        return std::nullopt; // the stack has refused it already
    }
    return event::Offered{.update = update,
                          .reliable = sip_has_feature(raw.sip->sip_require, "100rel") != 0,
                          .cseq = cseq_of(raw.sip),
                          .facts = facts_of(raw, false, own_interval_s),
                          .offer = session_of(raw.sip)};
}

int call_state(const Raw& raw) {
    int state = -1;
    tl_gets(raw.tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    return state;
}

std::optional<call::Event> state_change(const Raw& raw) {
    const int state = call_state(raw);
    const char* local_sdp = nullptr;
    tl_gets(raw.tags, SOATAG_LOCAL_SDP_STR_REF(local_sdp), TAG_END());
    if (state == nua_callstate_ready) {
        return event::Ready{.local_sdp = text_of(local_sdp)};
    }
    if (state == nua_callstate_terminated) {
        return event::Terminated{.status = status_of(raw.status), .reason = reason_of(raw)};
    }
    return std::nullopt;
}

std::optional<call::Event> peer_bye(const Raw& raw) {
    if (raw.status >= 200) {
        return std::nullopt;
    }
    return event::PeerBye{.cseq = cseq_of(raw.sip),
                          .reason = raw.sip != nullptr
                                        ? base::printable(header_text(raw.sip->sip_reason), 200)
                                        : std::string{}};
}

std::optional<call::Event> peer_info(const Raw& raw) {
    if (raw.sip == nullptr || raw.status >= 300) {
        return std::nullopt;
    }
    const sip_t& sip = *raw.sip;
    event::PeerInfo info{.cseq = cseq_of(raw.sip), .content_type = {}, .body = {}};
    if (sip.sip_content_type != nullptr) {
        info.content_type = base::printable(text_of(sip.sip_content_type->c_type), 100);
    }
    if (sip.sip_payload != nullptr && sip.sip_payload->pl_data != nullptr) {
        const std::string_view body{sip.sip_payload->pl_data, sip.sip_payload->pl_len};
        info.body = base::trim(body).substr(0, 500); // as it came: its lines may mean something
    }
    return info;
}

std::optional<call::Event> prack_with_answer(const Raw& raw) {
    auto answer = session_of(raw.sip);
    if (!answer || raw.status >= 300) {
        return std::nullopt;
    }
    return event::Acked{.answer = std::move(answer)};
}

// Not as other requests: a challenge that waits for credentials is not the INVITE's.
std::optional<call::Event> prack_answer(const Raw& raw) {
    if (raw.status < 200) {
        return std::nullopt;
    }
    return event::RequestDone{.method = "PRACK",
                              .status = status_of(raw.status),
                              .reason = reason_of(raw),
                              .cseq = cseq_of(raw.sip)};
}

} // namespace

std::optional<call::Event>
decode(const Raw& raw, std::string_view stand_in, std::uint32_t own_interval_s) {
    switch (raw.event) {
    case nua_r_invite: return invite_answer(raw, stand_in, own_interval_s);
    case nua_i_state: return state_change(raw);
    case nua_i_invite: return offered(raw, false, own_interval_s);
    case nua_i_update: return offered(raw, true, own_interval_s);
    case nua_i_ack: return event::Acked{.answer = session_of(raw.sip)};
    case nua_i_prack: return prack_with_answer(raw);
    case nua_i_cancel: return event::Cancelled{};
    case nua_i_bye: return peer_bye(raw);
    case nua_i_info: return peer_info(raw);
    case nua_r_bye: return request_answer(raw, "BYE", stand_in);
    case nua_r_prack: return prack_answer(raw);
    case nua_r_info: return request_answer(raw, "INFO", stand_in);
    case nua_r_options: return request_answer(raw, "OPTIONS", stand_in);
    case nua_r_update: return request_answer(raw, "UPDATE", stand_in);
    // Said by nua_i_state, or of no consequence for a call.
    default: return std::nullopt;
    }
}

bool says_calling(const Raw& raw) {
    return call_state(raw) == nua_callstate_calling;
}

std::string final_reason_of(const Raw& raw) {
    return failures::is_local(raw.sip) ? failures::why(raw.sip, raw.status, text_of(raw.phrase))
                                       : base::printable(text_of(raw.phrase), 200);
}

std::optional<call::Dialog> decode_invite(const Raw& raw, std::uint32_t own_interval_s) {
    call::Dialog dialog;
    const sip_t& sip = *raw.sip;
    const auto transport = transport_of(sip.sip_via);
    if (!transport) {
        return std::nullopt;
    }
    dialog.transport = *transport;
    dialog.role = call::Role::callee;
    dialog.phase = call::Phase::ringing;
    dialog.call_id = text_of(sip.sip_call_id->i_id);
    dialog.local_uri = name_addr(sip.sip_to->a_display, sip.sip_to->a_url);
    dialog.remote_uri = name_addr(sip.sip_from->a_display, sip.sip_from->a_url);
    dialog.remote_tag = text_of(sip.sip_from->a_tag);
    dialog.remote_cseq = cseq_of(&sip);
    const call::PeerFacts facts = facts_of(raw, false, own_interval_s);
    dialog.remote_target = facts.remote_target;
    dialog.route_set = facts.route_set;
    dialog.peer_allow = facts.allow;
    dialog.peer_supported = facts.supported;
    dialog.remote_sip = facts.source;
    dialog.timer.interval_s = facts.session_expires_s;
    dialog.timer.min_se_s = facts.min_se_s;
    dialog.timer.refresher = facts.refresher;
    dialog.in_flight.cseq = dialog.remote_cseq;
    return dialog;
}

} // namespace revenant::sip
