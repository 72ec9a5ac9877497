// The whole phone: everything wired together, from the options to the exit status.
#pragma once

#include <optional>

#include "revenant/shell/options.hpp"

namespace revenant::app {

// Documented in the README, and meant to be relied upon by scripts.
enum ExitStatus : int {
    exit_success = 0,
    exit_command_failed = 1, // or the phone could not start
    exit_usage = 2,
    exit_call_lost = 3,     // a call of an earlier run could not be resumed
    exit_restart_me = 88,   // to the keeper: start me again at once
    exit_signal_base = 128, // and the number of the signal that has cut a script short
};

// What the first life of this kept phone has read, if this is a later one.
[[nodiscard]] std::optional<shell::Configuration> kept_configuration();

// Whether revenant-keeper has started this process.
[[nodiscard]] bool has_keeper();

// Becomes the keeper, which starts this program with the same arguments. Returns only when that
// fails, with the exit status.
[[nodiscard]] int run_kept(int argc, char** argv);

// Runs until `quit`, `detach`, the end of the script or a signal.
[[nodiscard]] int run_phone(const shell::Options& options);

} // namespace revenant::app
