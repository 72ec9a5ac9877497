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
    bool is_wanted = false; // while leaving: again, when that is done
    bool is_told = false;   // what the user has heard last is that it is registered
    bool is_open = false;   // a REGISTER has no answer; in `leaving` too

    // What follows without a rest (until the record's `rests_boot_ms`) is a row: a registrar that
    // sends us on and on is left alone (see `budget`).
    std::uint32_t sent_in_a_row = 0;
    std::vector<Challenge> rejected = {}; // our credentials for these realms were not taken in it
    bool was_redirected = false;          // in it

    // Instants of the boot clock.
    std::int64_t due_ms = 0;    // of the last effect::WaitUntil; 0: nothing is waited for
    bool is_known = false;      // the registrar has taken a CSeq of ours, or has a new Call-ID
    bool was_keyed = false;     // since the request that is open
    bool has_moved = false;     // the same: it names an address that is not ours any more
    bool has_lost_flow = false; // the same: it is worth another try at once
    std::uint32_t flows = 0;    // that were lost, each soon after the one before
    std::int64_t up_ms = 0;     // since when the flow is there; 0: it is not
    std::int64_t moved_ms = 0;  // when our address was another one the last time
};

struct Step {
    Binding binding;
    std::vector<Effect> effects;
    base::Status status; // why a user's event did nothing
};

// Requests without a rest between, whatever they are answered: challenges, 423, redirections. The
// rest is 200 ms for each of them, so that no second has more than eleven.
inline constexpr std::uint32_t budget = 6;
inline constexpr std::int64_t rest_ms = 200;

[[nodiscard]] Step
step(const Binding& binding, const Event& event, base::Now now, const Draw& draw);

// What must hold after every step; empty if it does. A violation is a bug of ours.
[[nodiscard]] std::string check(const Binding& binding);

// A loaded record, ready for event::Restore.
[[nodiscard]] Binding revive(Registration record);

// The record's boot times, told in the boot that we are in (as call::move_into_boot).
void move_into_boot(Registration& record, const std::string& boot_id, base::Now now);

} // namespace revenant::account
