// The way between the registrar and us is another one, or gone (RFC 5626 §4.4, §4.5).
#include <algorithm>
#include <cstdint>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

namespace {

// A flow that has been there for so long is no sign of a registrar that closes each of them.
constexpr std::int64_t good_flow_ms = 120'000;
constexpr std::uint32_t flows_max = 1000;
// Between two REGISTERs for the sake of our address.
constexpr std::int64_t moves_apart_ms = 30'000;

} // namespace

Step on(const Binding& binding, const event::FlowLost& /*e*/, const Circumstances& c) {
    Step step = stay(binding);
    Binding& next = step.binding;
    const std::int64_t now_ms = c.now.boot_ms();
    const bool was_good = binding.up_ms != 0 && now_ms - binding.up_ms >= good_flow_ms;
    const std::uint32_t flows = was_good ? 1 : std::min(binding.flows + 1, flows_max);
    switch (binding.state) {
    case State::registered:
        next.up_ms = 0;
        next.flows = flows;
        if (flows == 1) {
            begin(step, c);
            break;
        }
        next.state = State::waiting;
        next.record.failures = flows - 1;
        next.record.last_status = 0;
        next.record.last_reason = "the connection is lost again and again";
        set_next(next.record, now_ms + backoff_ms(next.record.failures, c.draw.dice), c.now);
        persist(step);
        wait_for_next(step, c.now);
        tell(step, News::waiting);
        break;
    case State::registering: // that has its own answer
    case State::refreshing:
        next.up_ms = 0;
        next.flows = flows;
        next.has_lost_flow = flows == 1;
        break;
    case State::off:
    case State::waiting:
    case State::refused:
    case State::leaving: break;
    }
    return step;
}

Step on(const Binding& binding, const event::Moved& e, const Circumstances& c) {
    Step step = stay(binding);
    Binding& next = step.binding;
    Registration& record = next.record;
    if (e.contact == record.contact && e.local == record.local) {
        return step;
    }
    if (e.contact != record.contact) {
        // What the registrar has, or gets now; those in between it has never heard of.
        const bool is_there = record.old_contact.empty() || binding.is_open;
        if (is_there && binding.state != State::off) {
            record.old_contact = record.contact;
        } else if (record.old_contact == e.contact) {
            record.old_contact.clear();
        }
        record.contact = e.contact;
    }
    record.local = e.local;
    const std::int64_t now_ms = c.now.boot_ms();
    const std::int64_t earliest_ms =
        binding.moved_ms == 0 ? now_ms : std::max(now_ms, binding.moved_ms + moves_apart_ms);
    switch (binding.state) {
    case State::registered:
        if (earliest_ms > now_ms) {
            if (earliest_ms < record.next_boot_ms) {
                set_next(record, earliest_ms, c.now);
                next.moved_ms = earliest_ms;
            }
            persist(step);
            wait_until(step, std::max(record.next_boot_ms, now_ms + 1));
            break;
        }
        next.moved_ms = now_ms;
        begin(step, c);
        tell(step, News::moved);
        break;
    case State::waiting:
        // Nobody could be reached from where we were.
        if (record.last_status == 408 || record.last_status == 503) {
            set_next(record, std::min(record.next_boot_ms, earliest_ms), c.now);
            next.moved_ms = now_ms;
        }
        persist(step);
        wait_until(step, std::max(record.next_boot_ms, now_ms + 1));
        break;
    case State::registering:
    case State::refreshing: next.has_moved = true; break;
    case State::leaving:
    case State::refused:
    case State::off: break;
    }
    return step;
}

} // namespace revenant::account
