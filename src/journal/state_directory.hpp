// The state directory: made, opened, and locked for one process.
#pragma once

#include <string>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::journal {

struct StateDirectory {
    base::Fd root;
    base::Fd dialogs;
    base::Fd lock; // holds the flock while it is open
};

[[nodiscard]] base::Result<StateDirectory> open_state_directory(const std::string& path);

} // namespace revenant::journal
