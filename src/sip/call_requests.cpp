// What calls say: one nua call or two per effect. Signals to the stack run in the order in which
// they are given, so `set the proxy, invite, set it back` sends just the INVITE past the stand-in.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "revenant/base/log.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/core.hpp"
#include "sip/legs.hpp"
#include "sip/request_parts.hpp"
#include "sip/sofia/cseq_numbers.hpp"
#include "sip/sofia/kept_request.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/request_order.hpp"
#include "sip/sofia/transactions.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

// How long a repeated INVITE listens first. Neither is an instant at which the stack repeats it by
// itself (0.5, 1.5, 3.5, 7.5 s): two would leave at once.
constexpr std::uint32_t reading_ms = 750;    // T1, and some
constexpr std::uint32_t repeating_ms = 4500; // T2, and some

// Where the INVITE of an earlier life went, if a name had led it there: that may lead elsewhere
// now, to a server that knows nothing of it. Else the outbound proxy, if there is one.
std::string first_proxy(const call::Dialog& dialog) {
    const call::Endpoint& before = dialog.in_flight.sent_to;
    if (before.port == 0) {
        return dialog.outbound_proxy;
    }
    return fmt::format("sip:{};transport={}", host_port(before),
                       call::transport_name(dialog.transport));
}

bool goes_by_name(const call::Dialog& dialog) {
    const auto hop =
        read_uri(dialog.outbound_proxy.empty() ? dialog.remote_target : dialog.outbound_proxy);
    return hop && !base::SocketAddress::numeric(hop->host, 0);
}

const char* phrase_of(std::uint16_t status) {
    const char* phrase = sip_status_phrase(status);
    return phrase != nullptr ? phrase : "Answer";
}

} // namespace

void Legs::perform(const call::Call& call, const call::SipEffect& effect) {
    std::visit([&](const auto& e) { say(call, e); }, effect);
}

void Legs::say(const call::Call& call, const call::effect::SendInvite& /*e*/) {
    invite(call.dialog);
}

void Legs::invite(const call::Dialog& dialog) {
    Stack* stack = core_->stack_at(dialog.local_sip, dialog.transport);
    if (stack == nullptr) {
        report_terminated(dialog.number, "no listening address fits the call");
        return;
    }
    Leg& leg = make_leg(*stack, dialog);
    leg.is_inviting = true;
    cseq_numbers::begin(leg.key, dialog.in_flight.cseq, dialog.in_flight.cseq);
    const std::string cseq = fmt::format("{} INVITE", dialog.in_flight.cseq - 1);
    if (goes_by_name(dialog)) {
        leg.reported = invite_branch(dialog.local_tag, dialog.in_flight.cseq);
        outgoing_watch::report(leg.reported);
    }
    const std::string proxy = first_proxy(dialog);
    nua_invite(leg.handle(), NUTAG_URL(dialog.remote_target.c_str()),
               SIPTAG_CALL_ID_STR(dialog.call_id.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
               SIPTAG_CONTACT_STR(dialog.local_contact.c_str()),
               TAG_IF(!proxy.empty(), NUTAG_PROXY(proxy.c_str())),
               // The PRACK is ours to send, under the number that is stored. One that comes in is
               // the stack's to answer, at once: it does not survive that the INVITE ends first.
               NUTAG_APPL_METHOD("INVITE, UPDATE, BYE, INFO, PRACK"), NUTAG_AUTOACK(0),
               NUTAG_AUTOANSWER(0), SESSION_TAGS(dialog), TAG_END());
    if (proxy != dialog.outbound_proxy) { // for what follows in the dialog
        set_proxy(leg, dialog.outbound_proxy);
    }
}

void Legs::say(const call::Call& call, const call::effect::RepeatInvite& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    const std::string branch = invite_branch(dialog.local_tag, dialog.in_flight.cseq);
    // What a keeper has held is read at once; else the peer has to say it again.
    const std::uint32_t patience_ms = held_sockets::waiting() ? reading_ms : repeating_ms;
    outgoing_watch::hold_back(branch);
    invite(dialog);
    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    cseq_numbers::begin(leg->key, dialog.in_flight.cseq, call.cseq_base);
    leg->held_back = branch;
    // SAFETY: the sources are members.
    releases_[dialog.number] =
        base::after_ms(patience_ms, [this, number = dialog.number] { release(number); });
}

void Legs::release(call::Number number) {
    if (Leg* leg = this->leg(number)) {
        outgoing_watch::let_go(std::exchange(leg->held_back, {}), true);
    }
}

void Legs::say(const call::Call& call, const call::effect::Acknowledge& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    if (leg->has_said_bye) { // the stack finds no INVITE to acknowledge behind it
        sip::acknowledge_again(leg->stack().agent(), dialog, leg->accepted_cseq);
        return;
    }
    if (leg->quarantine.empty()) {
        nua_ack(leg->handle(), TAG_END());
        return;
    }
    leg->quarantine.clear();
    nua_ack(leg->handle(), NUTAG_PROXY(or_null(real_proxy(dialog))),
            NUTAG_MAX_RETRY_AFTER(retry_after_most_s), TAG_END());
}

void Legs::say(const call::Call& call, const call::effect::AcknowledgeStandIn& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    if (const Leg* leg = this->leg(dialog.number)) {
        nua_ack(leg->handle(), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::AcknowledgeAgain& e) {
    const call::Dialog& dialog = call.dialog;

    if (const Leg* leg = this->leg(dialog.number)) {
        sip::acknowledge_again(leg->stack().agent(), dialog, e.cseq);
    }
}

void Legs::say(const call::Call& call, const call::effect::SendPrack& e) {
    const call::Dialog& dialog = call.dialog;

    if (Leg* leg = this->leg(dialog.number)) {
        cseq_numbers::assign(leg->key, e.rseq, e.cseq);
        const std::string rack = fmt::format("{} {} INVITE", e.rseq, e.invite_cseq);
        nua_prack(leg->handle(), SIPTAG_RACK_STR(rack.c_str()), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::Respond& e) {
    const call::Dialog& dialog = call.dialog;
    const std::uint16_t status = e.status;

    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    if (status >= 200) {
        ringing_.erase(leg->call_id);
    }
    if (status >= 200 && status < 300) {
        lift(dialog);
        // The stack adds an Accept to an answer within a dialog, as this one is to a stored INVITE;
        // the caller may have seen it without.
        const auto* no_accept = static_cast<const sip_accept_t*>(SIP_NONE);
        nua_respond(leg->handle(), status, phrase_of(status),
                    SIPTAG_CONTACT_STR(dialog.local_contact.c_str()), SIPTAG_ACCEPT(no_accept),
                    SESSION_TAGS(dialog), TAG_END());
        return;
    }
    if (status < 200 && leg->must_offer) {
        nua_respond(leg->handle(), status, phrase_of(status),
                    SIPTAG_CONTACT_STR(dialog.local_contact.c_str()), SESSION_TAGS(dialog),
                    TAG_END());
        return;
    }
    nua_respond(leg->handle(), status, phrase_of(status),
                TAG_IF(status < 200, SIPTAG_CONTACT_STR(dialog.local_contact.c_str())), TAG_END());
}

void Legs::say(const call::Call& call, const call::effect::Reply& e) {
    reply(call.dialog, e.request, e.status, e.with_sdp);
}

void Legs::say(const call::Call& call, const call::effect::RespondBye& e) {
    reply(call.dialog, e.request, 200, false);
}

void Legs::reply(const call::Dialog& dialog,
                 const call::RequestRef& request,
                 std::uint16_t status,
                 bool with_sdp) {
    const Leg* leg = this->leg(dialog.number);
    msg_t* message = message_of(request);
    if (leg == nullptr || message == nullptr) {
        return;
    }
    if (status < 300 && with_sdp) {
        nua_respond(leg->handle(), status, phrase_of(status), NUTAG_WITH(message),
                    SIPTAG_CONTACT_STR(dialog.local_contact.c_str()), SESSION_TAGS(dialog),
                    TAG_END());
        return;
    }
    nua_respond(leg->handle(), status, phrase_of(status), NUTAG_WITH(message), TAG_END());
}

void Legs::say(const call::Call& call, const call::effect::SendCancel& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    if (const Leg* leg = this->leg(dialog.number)) {
        release(dialog.number); // a CANCEL waits for a provisional answer (RFC 3261 §9.1)
        nua_cancel(leg->handle(), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::SendBye& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    if (!leg->quarantine.empty()) {
        leg->quarantine.clear();
        set_proxy(*leg, real_proxy(dialog));
    }
    leg->has_said_bye = true;
    say_bye(*leg);
}

void Legs::say(const call::Call& call, const call::effect::Reoffer& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    if (Leg* leg = this->leg(dialog.number)) {
        leg->is_inviting = true;
        nua_invite(leg->handle(), SESSION_TAGS(dialog), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::Describe& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    if (const Leg* leg = this->leg(dialog.number)) {
        nua_set_hparams(leg->handle(), SESSION_TAGS(dialog), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::SendInfo& e) {
    const call::Dialog& dialog = call.dialog;
    if (Leg* leg = this->leg(dialog.number)) {
        nua_info(leg->handle(), SIPTAG_CONTENT_TYPE_STR(e.content_type.c_str()),
                 SIPTAG_PAYLOAD_STR(e.body.c_str()), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::SendOptions& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    if (Leg* leg = this->leg(dialog.number)) {
        nua_options(leg->handle(), TAG_END());
    }
}

void Legs::say(const call::Call& call, const call::effect::Authenticate& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    const Leg* leg = this->leg(dialog.number);
    const Credentials* known = leg != nullptr ? core_->credentials_for(leg->realm) : nullptr;
    if (known == nullptr) {
        return;
    }
    const std::string auth =
        fmt::format("Digest:\"{}\":{}:{}", leg->realm, known->user, known->password);
    const bool quarantined = !leg->quarantine.empty();
    if (quarantined) {
        set_proxy(*leg, real_proxy(dialog));
    }
    nua_authenticate(leg->handle(), NUTAG_AUTH(auth.c_str()), TAG_END());
    if (quarantined) {
        set_proxy(*leg, leg->quarantine);
    }
}

void Legs::report_terminated(call::Number number, std::string why) {
    // From the main loop, as the stack would: the caller is in the middle of performing effects.
    reports_.push_back(base::when_idle([this, number, why = std::move(why)] {
        listener_->on_event(number, call::event::Terminated{.status = 503, .reason = why});
    }));
}

} // namespace revenant::sip
