// A dialog made anew: it ends at the stand-in, but for the one INVITE that is armed, until the peer
// has answered that.
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "sip/core.hpp"
#include "sip/legs.hpp"
#include "sip/request_parts.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

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

} // namespace

// A null proxy with a loose route would make the stack send to the Request-URI with the Route
// headers merely present.
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

} // namespace revenant::sip
