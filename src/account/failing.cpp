// When a REGISTER has failed: how long until the next one (RFC 5626 §4.5), or that there is none.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/text.hpp"

namespace revenant::account {

namespace {

constexpr std::int64_t base_ms = 30'000;
constexpr std::int64_t most_ms = 1'800'000;
constexpr std::uint32_t retry_after_most_s = 3600;
constexpr std::size_t reason_max = 200;
// A binding that is nearer to its end is not worth a try of its own.
constexpr std::int64_t try_before_end_ms = 2000;

// The record of who has failed, at the registrar that the account names.
void note(Registration& record, const Failure& failure) {
    const bool is_one = failure.status >= 100 && failure.status <= 699;
    record.last_status = is_one ? failure.status : 0;
    record.last_reason = base::printable(failure.reason, reason_max);
    if (!record.home.empty()) {
        record.registrar = std::exchange(record.home, {});
    }
}

} // namespace

std::string answer_text(std::uint16_t status, const std::string& reason) {
    return status == 0 ? base::printable(reason, reason_max)
                       : fmt::format("{} {}", status, base::printable(reason, reason_max));
}

Failure failure_of(const event::Answered& e) {
    return {.status = e.status, .reason = e.reason, .retry_after_s = e.retry_after_s};
}

std::int64_t backoff_ms(std::uint32_t failures, std::uint32_t dice) {
    const std::int64_t upper_ms = std::min(base_ms << std::min(failures, 6U), most_ms);
    return between(upper_ms, 500, 1000, dice);
}

void fail(Step& step, const Failure& failure, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    note(record, failure);
    constexpr std::uint32_t failures_max = 1'000'000;
    record.failures = std::min(record.failures + 1, failures_max);
    std::int64_t wait_ms = backoff_ms(record.failures, c.draw.dice);
    const bool alive = is_alive(record, c.now);
    if (failure.retry_after_s > 0) {
        // Spread: others were told the same.
        const std::int64_t asked_ms =
            std::int64_t{std::min(failure.retry_after_s, retry_after_most_s)} * 1000;
        wait_ms = std::max(wait_ms, between(asked_ms, 1000, 1100, c.draw.dice));
    } else if (const std::int64_t half_ms = (record.expires_boot_ms - c.now.boot_ms()) / 2;
               alive && half_ms >= try_before_end_ms) {
        wait_ms = std::min(wait_ms, half_ms);
    }
    const bool is_lost = !alive && binding.state == State::refreshing;
    if (!alive) {
        forget_grant(record);
    }
    binding.state = State::waiting;
    record.standing = alive ? Standing::registered : Standing::trying;
    set_next(record, c.now.boot_ms() + wait_ms, c.now);
    persist(step);
    wait_for_next(step, c.now);
    if (is_lost) {
        tell(step, News::lost, answer_text(failure.status, failure.reason));
    } else {
        tell(step, News::waiting);
    }
}

void wait_for_next(Step& step, base::Now now) {
    const Registration& record = step.binding.record;
    const bool ends_before = is_alive(record, now) && record.expires_boot_ms < record.next_boot_ms;
    wait_until(step, ends_before ? record.expires_boot_ms : record.next_boot_ms);
}

void give_up(Step& step, const Failure& failure, std::string what_to_do) {
    Registration& record = step.binding.record;
    note(record, failure);
    record.failures = 0;
    record.standing = Standing::refused;
    step.binding.state = State::refused;
    persist(step);
    wait_for_nothing(step);
    tell(step, News::refused, std::move(what_to_do));
}

} // namespace revenant::account
