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

// How long a Retry-After the stack keeps by itself (seconds, its default). In quarantine that is
// for the call machine: the stack would ask the stand-in.
constexpr unsigned retry_after_most_s = 32;

// Where requests in the dialog really go: the outbound proxy, else the first loose route, else
// wherever Route and Request-URI say. A null proxy with a loose route would make the stack send to
// the Request-URI with the Route headers merely present.
std::string real_proxy(const call::Dialog& dialog) {
    if (!dialog.outbound_proxy.empty()) {
        return dialog.outbound_proxy;
    }
    if (dialog.route_set.empty()) {
        return {};
    }
    const auto route = read_uri(dialog.route_set.front());
    return route && route->loose_route ? route->text : std::string{};
}

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

// The description as it is: with our o= line (RFC 3264 §8 wants it kept), our address in it also
// where the stack would rather name a public one in place of loopback, and our order of codecs.
#define SESSION_TAGS(dialog)                                                                       \
    SOATAG_USER_SDP_STR((dialog).local_sdp.c_str()), SOATAG_USER_O_LINE(1),                        \
        SOATAG_ADDRESS((dialog).media.local.address.c_str()),                                      \
        SOATAG_RTP_SELECT(SOA_RTP_SELECT_ALL), SOATAG_RTP_SORT(SOA_RTP_SORT_LOCAL)

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

const char* phrase_of(std::uint16_t status) {
    const char* phrase = sip_status_phrase(status);
    return phrase != nullptr ? phrase : "Answer";
}

nua_session_refresher refresher_of(const call::SessionTimer& timer) {
    switch (timer.refresher) {
    case call::Refresher::none: return nua_any_refresher;
    case call::Refresher::local: return nua_local_refresher;
    case call::Refresher::remote: return nua_remote_refresher;
    }
    return nua_any_refresher;
}

std::string why_no_listener(const call::Dialog& dialog) {
    switch (dialog.transport) {
    case call::Transport::udp:
    case call::Transport::tcp:
        return fmt::format("the call was on {}, which is not listened on now; start with "
                           "--listen {}",
                           host_port(dialog.local_sip), host_port(dialog.local_sip));
    case call::Transport::tls:
        return "the call is over TLS, which this version does not speak; start the version that "
               "wrote the record";
    }
    return {};
}

void set_proxy(const Leg& leg, const std::string& url) {
    nua_set_hparams(leg.handle(), NUTAG_PROXY(or_null(url)), TAG_END());
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

void Legs::say(const call::Call& call, const call::effect::Restore& /*e*/) {
    const call::Dialog& dialog = call.dialog;
    const std::uint32_t cseq_base = call.cseq_base;

    Stack* stack = core_->stack_at(dialog.local_sip, dialog.transport);
    if (stack == nullptr) {
        report_terminated(dialog.number, why_no_listener(dialog));
        return;
    }
    const auto url = stand_in_url(*stack);
    if (!url) {
        report_terminated(dialog.number, url.error().context);
        return;
    }
    Leg& leg = make_leg(*stack, dialog);
    leg.quarantine = *url;
    leg.cseq_base = cseq_base;
    leg.is_inviting = true;
    const std::string cseq = fmt::format("{} INVITE", cseq_base);
    const call::SessionTimer& timer = dialog.timer;
    nua_invite(leg.handle(), NUTAG_PROXY(leg.quarantine.c_str()),
               SIPTAG_CALL_ID_STR(dialog.call_id.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
               NUTAG_URL(dialog.remote_target.c_str()),
               SIPTAG_CONTACT_STR(dialog.local_contact.c_str()),
               TAG_IF(timer.interval_s != 0, NUTAG_SESSION_TIMER(timer.interval_s)),
               TAG_IF(timer.interval_s != 0, NUTAG_SESSION_REFRESHER(refresher_of(timer))),
               TAG_IF(timer.min_se_s != 0, NUTAG_MIN_SE(timer.min_se_s)), NUTAG_AUTOACK(0),
               NUTAG_AUTOANSWER(0), NUTAG_MAX_RETRY_AFTER(0), SESSION_TAGS(dialog), TAG_END());
}

void Legs::say(const call::Call& call, const call::effect::Arm& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    leg->is_inviting = true;
    const std::string real = real_proxy(dialog);
    nua_invite(leg->handle(), NUTAG_PROXY(or_null(real)),
               TAG_IF(dialog.timer.min_se_s != 0, NUTAG_MIN_SE(dialog.timer.min_se_s)), TAG_END());
    // Everything that the stack may add by itself, a BYE after a 500 first of all, ends at the
    // stand-in again.
    set_proxy(*leg, leg->quarantine);
}

void Legs::say(const call::Call& call, const call::effect::Lift& /*e*/) {
    lift(call.dialog);
}

void Legs::lift(const call::Dialog& dialog) {
    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr || leg->quarantine.empty()) {
        return;
    }
    leg->quarantine.clear();
    nua_set_hparams(leg->handle(), NUTAG_PROXY(or_null(real_proxy(dialog))),
                    NUTAG_MAX_RETRY_AFTER(retry_after_most_s), TAG_END());
}

void Legs::say(const call::Call& call, const call::effect::Dispose& /*e*/) {
    const call::Dialog& dialog = call.dialog;

    const Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    const bool is_quarantined = !leg->quarantine.empty();
    const auto end =
        is_quarantined ? base::Result<std::string>{leg->quarantine} : stand_in_url(leg->stack());
    // After our BYE there is nothing to hide, and the peer may have an ACK to get.
    if (end && (is_quarantined || dialog.phase != call::Phase::ending)) {
        set_proxy(*leg, *end);
    }
    give_up(dialog.number, false);
}

void Legs::report_terminated(call::Number number, std::string why) {
    // From the main loop, as the stack would: the caller is in the middle of performing effects.
    reports_.push_back(base::when_idle([this, number, why = std::move(why)] {
        listener_->on_event(number, call::event::Terminated{.status = 503, .reason = why});
    }));
}

} // namespace revenant::sip
