// What there is to know of each state, one row a state: a new one is a row here, and a case where a
// switch tells states apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "revenant/call/machine.hpp"

namespace revenant::call {

// What a call is for its user, in the order in which they are counted.
enum class Kind : std::uint8_t {
    talking,
    ringing,
    calling,
    on_hold,
    found,
    resuming,
    ending,
    none
};

struct StateTraits {
    State state = State::idle;
    std::string_view name = {};
    Kind kind = Kind::none;      // `talking` may be on hold
    bool is_inviting = false;    // our first INVITE has no final answer
    bool has_dialog = false;     // the peer and the stack agree that there is a dialog
    bool is_up = false;          // and both ends know it: the user's requests can be sent in it
    bool is_coming_back = false; // between the restart and the peer's answer
    bool is_back = false;        // there is nothing under way that ends by itself
};

// In the order of `State`.
inline constexpr std::array state_traits{
    StateTraits{.state = State::idle, .name = "idle", .kind = Kind::found},
    StateTraits{.state = State::inviting,
                .name = "inviting",
                .kind = Kind::calling,
                .is_inviting = true,
                .is_back = true},
    StateTraits{.state = State::proceeding,
                .name = "proceeding",
                .kind = Kind::calling,
                .is_inviting = true,
                .is_back = true},
    StateTraits{
        .state = State::canceling, .name = "canceling", .kind = Kind::calling, .is_inviting = true},
    StateTraits{
        .state = State::alerting, .name = "alerting", .kind = Kind::ringing, .is_back = true},
    StateTraits{
        .state = State::answering, .name = "answering", .kind = Kind::talking, .has_dialog = true},
    StateTraits{.state = State::refusing, .name = "refusing", .kind = Kind::ending},
    StateTraits{.state = State::established,
                .name = "established",
                .kind = Kind::talking,
                .has_dialog = true,
                .is_up = true,
                .is_back = true},
    StateTraits{.state = State::modifying,
                .name = "modifying",
                .kind = Kind::talking,
                .has_dialog = true,
                .is_up = true},
    StateTraits{.state = State::ending, .name = "ending", .kind = Kind::ending},
    StateTraits{.state = State::restoring,
                .name = "restoring",
                .kind = Kind::found,
                .is_coming_back = true},
    StateTraits{.state = State::replaying,
                .name = "replaying",
                .kind = Kind::found,
                .is_coming_back = true},
    StateTraits{.state = State::restored,
                .name = "restored",
                .kind = Kind::found,
                .has_dialog = true,
                .is_coming_back = true},
    StateTraits{.state = State::resuming,
                .name = "resuming",
                .kind = Kind::resuming,
                .has_dialog = true,
                .is_coming_back = true},
    StateTraits{.state = State::detour,
                .name = "detour",
                .kind = Kind::resuming,
                .has_dialog = true,
                .is_coming_back = true},
    StateTraits{.state = State::retrying,
                .name = "retrying",
                .kind = Kind::resuming,
                .has_dialog = true,
                .is_coming_back = true},
    StateTraits{.state = State::over, .name = "over", .kind = Kind::none, .is_back = true},
};

[[nodiscard]] constexpr bool has_a_row_for_each_state() {
    for (std::size_t i = 0; i < state_traits.size(); ++i) {
        if (static_cast<std::size_t>(state_traits[i].state) != i) {
            return false;
        }
    }
    return state_traits.size() == static_cast<std::size_t>(State::over) + 1;
}

static_assert(has_a_row_for_each_state());

[[nodiscard]] constexpr const StateTraits& traits(State state) {
    return state_traits[static_cast<std::size_t>(state)];
}

} // namespace revenant::call
