// The machine of a registration: what to do when something happens to it. Pure: no I/O, no clock,
// no dice, no log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"

namespace revenant::account {

//      Register                2xx
//  off --------> registering --------> registered --Due--> refreshing --2xx--> registered
//   ^              |   ^  |                ^                |     |
//   |        other |   |  | 403, wrong     '-----2xx--------'     | another failure
//   |              v   |  v  password                             v
//   |          waiting-'  refused --Register, Keyed--> registering
//   |         (back-off)                                      waiting (the binding is there still)
//   '--- leaving <-- Unregister, from each of them
enum class State : std::uint8_t {
    off,         // not wanted; no record
    registering, // a REGISTER has no answer, and there is no binding
    registered,
    refreshing, // a REGISTER has no answer; the binding is there until it expires
    waiting,    // the next try is due later (RFC 5626 §4.5)
    refused,    // nothing is sent until the user asks for it
    leaving,    // the un-REGISTER has no answer
};

[[nodiscard]] std::string_view name(State state);

// What a step may need that it must not make up: the caller draws anew for each step.
struct Draw {
    std::uint32_t dice = 0;    // any number
    std::string call_id = {};  // one that nobody has used
    std::string from_tag = {}; // as well
};

struct Binding {
    Registration record;
    State state = State::off;

    // Of the requests since the last one that came from a timer or the user: a registrar that sends
    // us on and on is left alone (see `budget`).
    std::uint32_t sent_in_a_row = 0;
    std::uint32_t challenged = 0; // of them, by answers that were not stale
    bool was_redirected = false;  // in them
    bool is_wanted = false;
    bool leave_when_answered = false; // Unregister while a REGISTER has no answer
    std::string refused_nonce = {};   // that our last credentials were for
};

struct Step {
    Binding binding;
    std::vector<Effect> effects;
    base::Status status; // why a user's event did nothing
};

// Requests without a rest between, whatever they are answered: challenges, 423, redirections.
inline constexpr std::uint32_t budget = 6;

[[nodiscard]] Step
step(const Binding& binding, const Event& event, base::Now now, const Draw& draw);

// A loaded record, ready for event::Restore.
[[nodiscard]] Binding revive(Registration record);

// The record's boot times, told in the boot that we are in (as call::move_into_boot).
void move_into_boot(Registration& record, const std::string& boot_id, base::Now now);

} // namespace revenant::account
