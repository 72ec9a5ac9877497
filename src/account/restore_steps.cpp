// A start with the record of an earlier life: what is still true needs no word.
#include <algorithm>
#include <cstdint>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

namespace {

// No wait of ours is longer: a refresh is due within a day, another try within an hour and a bit.
constexpr std::int64_t refresh_most_ms = 86'400'000;
constexpr std::int64_t try_most_ms = 4'000'000;

// What an earlier life has sent counts: who dies after each request does not hammer either.
void rest_as_before(Binding& binding, base::Now now) {
    std::int64_t& rests_ms = binding.record.rests_boot_ms;
    if (rests_ms > now.boot_ms() + rest_ms * budget) {
        rests_ms = 0; // no life of ours has written that
    }
    binding.sent_in_a_row = rests_ms > now.boot_ms() ? budget : 0;
}

void restore_registered(Step& step, const event::Restore& e, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    const std::int64_t now_ms = c.now.boot_ms();
    if (record.failures == 0 && !e.has_flow) {
        record.next_boot_ms = std::min(record.next_boot_ms, now_ms);
    }
    const std::int64_t most_ms = record.failures > 0 ? try_most_ms : refresh_most_ms;
    set_next(record, std::min(record.next_boot_ms, now_ms + most_ms), c.now);
    if (record.next_boot_ms <= now_ms) {
        begin(step, c);
        return;
    }
    if (record.failures > 0) {
        binding.state = State::waiting;
        wait_for_next(step, c.now);
        tell(step, News::waiting);
        return;
    }
    binding.state = State::registered;
    binding.up_ms = now_ms;
    wait_until(step, record.next_boot_ms);
    tell(step, News::restored);
}

void restore_trying(Step& step, const Circumstances& c) {
    Registration& record = step.binding.record;
    const std::int64_t now_ms = c.now.boot_ms();
    record.standing = Standing::trying;
    forget_grant(record);
    const bool is_due = record.next_boot_ms <= now_ms || record.next_boot_ms > now_ms + try_most_ms;
    if (record.failures == 0 || is_due) {
        begin(step, c);
        tell(step, News::registering);
        return;
    }
    step.binding.state = State::waiting;
    wait_for_next(step, c.now);
    tell(step, News::waiting);
}

void restore_leaving(Step& step, const Circumstances& c) {
    Binding& binding = step.binding;
    const std::int64_t next_ms = binding.record.next_boot_ms;
    binding.state = State::leaving;
    if (next_ms <= c.now.boot_ms() || next_ms > c.now.boot_ms() + try_most_ms) {
        begin(step, c);
    } else {
        wait_until(step, next_ms);
    }
}

} // namespace

Step on(const Binding& binding, const event::Restore& e, const Circumstances& c) {
    Step step = stay(binding);
    if (binding.state != State::off) {
        return step;
    }
    Registration& record = step.binding.record;
    rest_as_before(step.binding, c.now);
    const bool is_new = e.settings_id != record.settings_id;
    record.settings_id = e.settings_id;
    if (is_new && record.standing != Standing::leaving) {
        record.failures = 0;
    }
    switch (record.standing) {
    case Standing::registered:
        if (is_alive(record, c.now)) {
            restore_registered(step, e, c);
            break;
        }
        tell(step, News::lost);
        restore_trying(step, c);
        break;
    case Standing::trying: restore_trying(step, c); break;
    case Standing::refused:
        if (is_new) {
            restore_trying(step, c);
            break;
        }
        step.binding.state = State::refused;
        tell(step, News::refused);
        break;
    case Standing::leaving: restore_leaving(step, c); break;
    }
    return step;
}

} // namespace revenant::account
