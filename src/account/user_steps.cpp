// What the user wants.
#include <cstdint>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/result.hpp"

namespace revenant::account {

namespace {

constexpr bool is_about_credentials(std::uint16_t status) {
    return status == 401 || status == 403 || status == 407;
}

} // namespace

Step on(const Binding& binding, const event::Register& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    Binding& next = step.binding;
    next.is_wanted = true;
    switch (binding.state) {
    case State::off:
    case State::refused:
        next.record.failures = 0;
        next.record.last_status = 0;
        next.record.last_reason.clear();
        begin(step, c);
        tell(step, News::registering);
        break;
    case State::registered:
    case State::waiting: begin(step, c); break;
    case State::registering:
    case State::refreshing:
        if (!binding.is_wanted) { // the user has changed his mind
            next.record.standing =
                is_alive(next.record, c.now) ? Standing::registered : Standing::trying;
            persist(step);
        }
        break;
    case State::leaving: break; // then
    }
    return step;
}

Step on(const Binding& binding, const event::Unregister& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    step.binding.is_wanted = false;
    switch (binding.state) {
    case State::off:
        step.status = base::fail(base::Errc::not_now, "there is nothing to unregister");
        break;
    case State::registering:
    case State::refreshing:
        // A registrar need not take them in the order in which they were sent.
        step.binding.record.standing = Standing::leaving;
        persist(step);
        wait_until(step, binding.due_ms);
        break;
    case State::registered:
    case State::waiting:
    case State::refused: leave(step, c); break;
    case State::leaving: wait_until(step, binding.due_ms); break;
    }
    return step;
}

Step on(const Binding& binding, const event::Keyed& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    switch (binding.state) {
    case State::refused:
        // Some say 403 where others challenge again.
        if (is_about_credentials(binding.record.last_status)) {
            return on(binding, event::Register{}, c);
        }
        break;
    case State::registering:
    case State::refreshing:
    case State::leaving: step.binding.was_keyed = binding.is_open; break;
    case State::off:
    case State::registered:
    case State::waiting: break;
    }
    return step;
}

} // namespace revenant::account
