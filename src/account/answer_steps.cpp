// The answer to a REGISTER, and who deals with it.
#include <string>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"

namespace revenant::account {

namespace {

bool asks_for_credentials(const event::Answered& e) {
    return !e.is_local && (e.status == 401 || e.status == 407);
}

// The user has changed his mind meanwhile.
void answered_in_vain(Step& step, const event::Answered& e, const Circumstances& c) {
    Registration& record = step.binding.record;
    record.last_status = e.is_local ? 408 : e.status;
    if (e.status < 300) {
        take_grant(record, e, c.now);
    } else if (asks_for_credentials(e)) {
        std::string why;
        if (!take_challenges(step.binding, e, why)) {
            forget(step, {}, c);
            return;
        }
    }
    leave(step, c);
}

} // namespace

Step on(const Binding& binding, const event::Answered& e, const Circumstances& c) {
    Step step = stay(binding);
    if (!binding.is_open || e.cseq != binding.record.cseq || e.status < 200) {
        return step;
    }
    Binding& next = step.binding;
    next.is_open = false;
    if (e.remote.port != 0) {
        next.record.remote = e.remote;
    }
    if (binding.state != State::leaving && !binding.is_wanted) {
        answered_in_vain(step, e, c);
    } else if (asks_for_credentials(e)) {
        challenged(step, e, c);
    } else if (e.status >= 300) {
        refused(step, e, c);
    } else if (binding.state == State::leaving) {
        left(step, e, c);
    } else {
        granted(step, e, c);
    }
    return step;
}

} // namespace revenant::account
