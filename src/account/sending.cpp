// REGISTERs: their numbers, their credentials, and how many there may be.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

namespace {

// RFC 3261 §8.1.1.5: below 2^31.
constexpr std::uint32_t cseq_max = 0x7FFFFFFF;

// For as long an answer is waited for: four servers of a name, one after the other, each silent for
// 32 s (RFC 3261 §17.1.2.2, RFC 3263 §4.3).
constexpr std::int64_t answer_within_ms = 130'000;

// One that may go out: everything about it is in the record, and stored first.
void send(Step& step, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    if (record.call_id.empty() || record.cseq >= cseq_max) {
        record.call_id = c.draw.call_id;
        record.from_tag = c.draw.from_tag;
        record.cseq = 0;
    }
    record.cseq += 1;
    // A count that is at its end: without credentials there will be another nonce.
    std::erase_if(record.challenges, [](const Challenge& challenge) {
        return challenge.nonce_count == std::numeric_limits<std::uint32_t>::max();
    });
    for (Challenge& challenge : record.challenges) {
        challenge.nonce_count += 1;
    }
    const bool leaves = binding.state == State::leaving;
    if (!leaves) {
        const bool alive = is_alive(record, c.now);
        binding.state = alive ? State::refreshing : State::registering;
        record.standing = alive ? Standing::registered : Standing::trying;
    }
    binding.sent_in_a_row += 1;
    record.rests_boot_ms = c.now.boot_ms() + rest_ms * binding.sent_in_a_row;
    binding.is_open = true;
    binding.was_keyed = false;
    binding.has_moved = false;
    binding.has_lost_flow = false;
    // Who is killed now and started at once keeps to the same pace.
    set_next(record, record.rests_boot_ms, c.now);
    persist(step);
    step.effects.emplace_back(
        effect::Send{.expires_s = leaves ? 0 : record.asked_s, .answers = record.challenges});
    wait_until(step, c.now.boot_ms() + answer_within_ms);
}

} // namespace

void begin(Step& step, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    binding.rejected.clear();
    binding.was_redirected = false;
    if (c.now.boot_ms() >= record.rests_boot_ms) {
        binding.sent_in_a_row = 0;
    }
    if (binding.sent_in_a_row < budget) {
        send(step, c);
        return;
    }
    if (binding.state != State::leaving) {
        const bool alive = is_alive(record, c.now);
        binding.state = State::waiting;
        record.standing = alive ? Standing::registered : Standing::trying;
    }
    set_next(record, record.rests_boot_ms, c.now);
    persist(step);
    wait_until(step, record.next_boot_ms);
}

void go_on(Step& step, const event::Answered& e, const Circumstances& c) {
    if (step.binding.sent_in_a_row < budget) {
        send(step, c);
        return;
    }
    if (step.binding.state == State::leaving) {
        left(step, e, c);
        return;
    }
    Failure failure = failure_of(e);
    failure.reason += " (again and again)";
    fail(step, failure, c);
}

void persist(Step& step) {
    step.effects.emplace_back(effect::Persist{});
}

void wait_until(Step& step, std::int64_t boot_ms) {
    step.binding.due_ms = boot_ms;
    step.effects.emplace_back(effect::WaitUntil{.boot_ms = boot_ms});
}

void wait_for_nothing(Step& step) {
    step.binding.due_ms = 0;
    step.effects.emplace_back(effect::WaitForNothing{});
}

void tell(Step& step, News news, std::string detail) {
    bool& is_told = step.binding.is_told;
    switch (news) {
    case News::registered:
    case News::refreshed:
    case News::restored: is_told = true; break;
    case News::registering:
    case News::unregistered:
    case News::refused:
    case News::waiting:
    case News::lost: is_told = false; break;
    case News::moved:
    case News::trouble: break;
    }
    step.effects.emplace_back(effect::Tell{.news = news, .detail = std::move(detail)});
}

void set_next(Registration& record, std::int64_t boot_ms, base::Now now) {
    record.next_boot_ms = boot_ms;
    record.next_ms = std::max<std::int64_t>(now.real_ms() + (boot_ms - now.boot_ms()), 1);
}

void set_expiry(Registration& record, std::int64_t boot_ms, base::Now now) {
    record.expires_boot_ms = boot_ms;
    record.expires_ms = std::max<std::int64_t>(now.real_ms() + (boot_ms - now.boot_ms()), 1);
}

void forget_grant(Registration& record) {
    record.granted_s = 0;
    record.expires_ms = 0;
    record.expires_boot_ms = 0;
    record.service_route.clear();
    record.path.clear();
    record.gruu.clear();
}

} // namespace revenant::account
