// Answers that are neither 2xx nor a challenge: what another request can cure, what time can, and
// what nobody can but the user.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "account/registrar_uri.hpp"
#include "account/steps.hpp"
#include "revenant/account/machine.hpp"

namespace revenant::account {

namespace {

constexpr std::uint32_t min_expires_most_s = 604'800; // a week

// What the user has to mend; empty: it may pass by itself.
std::string_view what_to_do(std::uint16_t status) {
    switch (status) {
    case 403: return "it does not want this user; look at aor, user and password of the account";
    case 404:
    case 410:
    case 604: return "it does not know this user; look at the account's aor";
    case 405:
    case 501: return "it is no registrar; look at the account's registrar";
    case 416: return "it does not know such URIs; look at the account's aor and registrar";
    case 420:
    case 505: return "it cannot be talked to by this phone";
    default: break;
    }
    return status >= 600 ? "it is the end of it; look at the account" : "";
}

// RFC 3261 §20.33: who says when to come again has not said no.
bool may_say_when(std::uint16_t status) {
    return status == 404 || status == 600 || status == 603;
}

bool follow(Step& step, const event::Answered& e, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    const bool leads_on = e.status == 300 || e.status == 301 || e.status == 302;
    if (!leads_on || binding.was_redirected) {
        return false;
    }
    const std::string target = registrar_uri(e.moved_to);
    if (target.empty() || is_same_place(target, record.registrar) ||
        (record.transport == call::Transport::tls && !is_secure(target))) {
        return false;
    }
    binding.was_redirected = true;
    if (record.home.empty()) {
        record.home = record.registrar;
    }
    record.registrar = target;
    go_on(step, e, c);
    if (binding.is_open) {
        tell(step, News::moved, "the registrar sends us to " + target);
    }
    return true;
}

// One more request, if that is what it needs.
bool cure(Step& step, const event::Answered& e, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    if (e.status == 423 && binding.state != State::leaving && e.min_expires_s > record.asked_s &&
        e.min_expires_s <= min_expires_most_s) {
        record.asked_s = e.min_expires_s;
        go_on(step, e, c);
        return true;
    }
    if (e.status == 439 && record.reg_id != 0) { // RFC 5626 §4.2.1
        record.reg_id = 0;
        go_on(step, e, c);
        return true;
    }
    // RFC 3261 §10.3: a registrar that knows our Call-ID with a higher CSeq refuses. Ours may be of
    // a copy of the state.
    if ((e.status == 400 || e.status == 500) && record.restarts > 0 && !binding.is_known &&
        !c.draw.call_id.empty()) {
        binding.is_known = true;
        record.call_id = c.draw.call_id;
        record.from_tag = c.draw.from_tag;
        record.cseq = 0;
        go_on(step, e, c);
        return true;
    }
    return follow(step, e, c);
}

} // namespace

void refused(Step& step, const event::Answered& e, const Circumstances& c) {
    if (!e.is_local && cure(step, e, c)) {
        return;
    }
    if (step.binding.state == State::leaving) {
        left(step, e, c);
        return;
    }
    if (e.is_local && step.binding.has_lost_flow) {
        go_on(step, e, c); // over a new one
        return;
    }
    const std::string_view to_do = e.is_local ? "" : what_to_do(e.status);
    if (to_do.empty() || (e.retry_after_s > 0 && may_say_when(e.status))) {
        fail(step, failure_of(e), c);
        return;
    }
    give_up(step, failure_of(e),
            fmt::format("{}: {}; `register` tries again", answer_text(e.status, e.reason), to_do));
}

} // namespace revenant::account
