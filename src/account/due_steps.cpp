// An instant has come that was waited for, or the disk has failed us.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

namespace {

// The answer that a SIP stack owes us for each request did not come.
void unanswered(Step& step, const Circumstances& c) {
    step.effects.emplace_back(effect::Abandon{});
    const event::Answered timeout{.cseq = step.binding.record.cseq,
                                  .status = 408,
                                  .reason = "nobody has answered",
                                  .is_local = true};
    Step then = on(step.binding, timeout, c);
    step.binding = std::move(then.binding);
    step.effects.insert(step.effects.end(), then.effects.begin(), then.effects.end());
}

// The binding's end has come, or the next try.
void wait_is_over(Step& step, const Circumstances& c) {
    Registration& record = step.binding.record;
    const bool has_ended = record.expires_boot_ms != 0 && !is_alive(record, c.now);
    if (has_ended) {
        forget_grant(record);
        record.standing = Standing::trying;
    }
    if (record.next_boot_ms <= c.now.boot_ms()) {
        begin(step, c);
    } else {
        if (has_ended) {
            persist(step);
        }
        wait_for_next(step, c.now);
    }
    if (has_ended) {
        tell(step, News::lost, answer_text(record.last_status, record.last_reason));
    }
}

} // namespace

Step on(const Binding& binding, const event::Due& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    if (binding.due_ms == 0) {
        return step;
    }
    if (c.now.boot_ms() < binding.due_ms) { // a timer that is early
        wait_until(step, binding.due_ms);
        return step;
    }
    if (binding.is_open) {
        unanswered(step, c);
        return step;
    }
    switch (binding.state) {
    case State::registered:
        if (!is_alive(binding.record, c.now)) { // the machine was suspended
            forget_grant(step.binding.record);
            begin(step, c);
            tell(step, News::lost);
            break;
        }
        begin(step, c);
        break;
    case State::waiting: wait_is_over(step, c); break;
    case State::leaving: begin(step, c); break;
    case State::off:
    case State::registering:
    case State::refreshing:
    case State::refused: break;
    }
    return step;
}

// Nothing was sent, and the record is as it was before: so nothing is promised to anybody. What an
// answer has said is heard once more from the next one.
Step on(const Binding& binding, const event::StoreFailed& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    Binding& next = step.binding;
    Registration& record = next.record;
    if (binding.state == State::refused) {
        tell(step, News::trouble,
             "the registration cannot be stored, so nothing was sent; make room in the state "
             "directory, then say it again");
        return step;
    }
    if (next.is_open) {
        step.effects.emplace_back(effect::Abandon{});
        next.is_open = false;
    }
    constexpr std::uint32_t failures_max = 1'000'000;
    record.failures = std::min(record.failures + 1, failures_max);
    const std::int64_t next_ms = c.now.boot_ms() + backoff_ms(record.failures, c.draw.dice);
    const bool leaves = record.standing == Standing::leaving; // as it is stored
    set_next(record, next_ms, c.now);
    if (leaves) {
        next.state = State::leaving;
        wait_until(step, next_ms);
    } else {
        next.state = State::waiting;
        next.is_wanted = next.is_wanted || binding.state == State::off;
        wait_for_next(step, c.now);
    }
    tell(step, News::trouble,
         "the registration cannot be stored, so nothing was sent; make room in the state "
         "directory. It is tried again");
    return step;
}

} // namespace revenant::account
