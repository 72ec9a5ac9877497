// The parts of a registration's machine: one function per event, grouped by where the event comes
// from, and what several of them use.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

// What a step is made with.
struct Circumstances {
    base::Now now;
    const Draw& draw;
};

// user_steps.cpp
[[nodiscard]] Step on(const Binding& binding, const event::Register& e, const Circumstances& c);
[[nodiscard]] Step on(const Binding& binding, const event::Unregister& e, const Circumstances& c);
[[nodiscard]] Step on(const Binding& binding, const event::Keyed& e, const Circumstances& c);

// restore_steps.cpp
[[nodiscard]] Step on(const Binding& binding, const event::Restore& e, const Circumstances& c);

// answer_steps.cpp
[[nodiscard]] Step on(const Binding& binding, const event::Answered& e, const Circumstances& c);

// flow_steps.cpp
[[nodiscard]] Step on(const Binding& binding, const event::FlowLost& e, const Circumstances& c);
[[nodiscard]] Step on(const Binding& binding, const event::Moved& e, const Circumstances& c);

// due_steps.cpp: the timer, and the disk
[[nodiscard]] Step on(const Binding& binding, const event::Due& e, const Circumstances& c);
[[nodiscard]] Step on(const Binding& binding, const event::StoreFailed& e, const Circumstances& c);

// grant_steps.cpp
void take_grant(Registration& record, const event::Answered& e, base::Now now);
void granted(Step& step, const event::Answered& e, const Circumstances& c);

// challenge_steps.cpp
// Keeps what has been asked for; false: credentials are missing or were not taken, as `why` says.
[[nodiscard]] bool take_challenges(Binding& binding, const event::Answered& e, std::string& why);
void challenged(Step& step, const event::Answered& e, const Circumstances& c);

// refusal_steps.cpp
void refused(Step& step, const event::Answered& e, const Circumstances& c);

// leave_steps.cpp
// The binding is to go, and its record with it.
void leave(Step& step, const Circumstances& c);
void left(Step& step, const event::Answered& e, const Circumstances& c);
// It is gone, or nobody can do more for it.
void forget(Step& step, std::string detail, const Circumstances& c);

// sending.cpp
// A REGISTER for a reason of its own: a refresh, a try, the user. Waits when there were too many.
void begin(Step& step, const Circumstances& c);
// One more of the row; a failure when its budget is spent.
void go_on(Step& step, const event::Answered& e, const Circumstances& c);
void persist(Step& step);
void wait_until(Step& step, std::int64_t boot_ms);
void wait_for_nothing(Step& step);
void tell(Step& step, News news, std::string detail = {});

// failing.cpp
struct Failure {
    std::uint16_t status = 0;
    std::string reason = {};
    std::uint32_t retry_after_s = 0;
};

[[nodiscard]] Failure failure_of(const event::Answered& e);
// It is tried again later (RFC 5626 §4.5).
void fail(Step& step, const Failure& failure, const Circumstances& c);
// Nothing more is sent until the user asks for it.
void give_up(Step& step, const Failure& failure, std::string what_to_do);
[[nodiscard]] std::int64_t backoff_ms(std::uint32_t failures, std::uint32_t dice);
// The timer of a Binding that is `waiting` for the record's next instant.
void wait_for_next(Step& step, base::Now now);

// ---- What several of them use ----

[[nodiscard]] inline Step stay(const Binding& binding) {
    return {.binding = binding, .effects = {}, .status = {}};
}

[[nodiscard]] inline bool is_alive(const Registration& record, base::Now now) {
    return record.expires_boot_ms != 0 && record.expires_boot_ms > now.boot_ms();
}

// A point of the range that `dice` picks, the ends in thousandths of `whole`.
[[nodiscard]] constexpr std::int64_t
between(std::int64_t whole, std::int64_t from, std::int64_t to, std::uint32_t dice) {
    return whole * (from + static_cast<std::int64_t>(dice) % (to - from + 1)) / 1000;
}

// Both clocks' instants, told by how long it is until then.
void set_next(Registration& record, std::int64_t boot_ms, base::Now now);
void set_expiry(Registration& record, std::int64_t boot_ms, base::Now now);
// What a registrar has said of a binding that is not there any more.
void forget_grant(Registration& record);
// "503 Service Unavailable", fit for a terminal.
[[nodiscard]] std::string answer_text(std::uint16_t status, const std::string& reason);

} // namespace revenant::account
