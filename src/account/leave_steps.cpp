// The way out: the binding is removed by a REGISTER that asks for no time (RFC 3261 §10.2.2).
#include <string>
#include <utility>

#include <fmt/format.h>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"

namespace revenant::account {

void leave(Step& step, const Circumstances& c) {
    Binding& binding = step.binding;
    const Registration& record = binding.record;
    // Nobody knows what has become of a request whose answer did not come.
    const bool is_unheard =
        record.cseq > 0 && record.standing == Standing::trying && record.last_status == 0;
    const bool may_be_there = is_alive(record, c.now) || record.last_status == 408 || is_unheard;
    if (!may_be_there) {
        forget(step, {}, c);
        return;
    }
    binding.state = State::leaving;
    binding.record.standing = Standing::leaving;
    begin(step, c);
}

void forget(Step& step, std::string detail, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    forget_grant(record);
    record.standing = Standing::trying;
    record.old_contact.clear();
    if (!record.home.empty()) {
        record.registrar = std::exchange(record.home, {});
    }
    record.failures = 0;
    record.last_status = 0;
    record.last_reason.clear();
    if (binding.is_wanted) { // again
        tell(step, News::unregistered, std::move(detail));
        binding.state = State::off;
        begin(step, c);
        tell(step, News::registering);
        return;
    }
    binding.state = State::off;
    step.effects.emplace_back(effect::Forget{});
    wait_for_nothing(step);
    tell(step, News::unregistered, std::move(detail));
}

void left(Step& step, const event::Answered& e, const Circumstances& c) {
    const Registration& record = step.binding.record;
    if (e.status < 300 || !is_alive(record, c.now)) {
        forget(step, {}, c);
        return;
    }
    const std::string why =
        e.is_local ? "does not answer" : "has refused it: " + answer_text(e.status, e.reason);
    forget(step,
           fmt::format("the registrar {}; what it has of us ends by itself in {} s", why,
                       (record.expires_boot_ms - c.now.boot_ms()) / 1000 + 1),
           c);
}

} // namespace revenant::account
