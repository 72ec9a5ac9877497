// The whole phone: everything wired together, from the options to the exit status.
#pragma once

#include "revenant/shell/options.hpp"

namespace revenant::app {

// Documented in the README, and meant to be relied upon by scripts.
enum ExitStatus : int {
    exit_success = 0,
    exit_command_failed = 1, // or the phone could not start
    exit_usage = 2,
    exit_call_lost = 3, // a call of an earlier run could not be resumed
};

// Runs until `quit`, `detach`, the end of the script or a signal.
[[nodiscard]] int run_phone(const shell::Options& options);

} // namespace revenant::app
