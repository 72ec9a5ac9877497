// The configuration file as the first life of a kept phone has read it. The keeper holds it as it
// holds the command line, so that what becomes of the file meanwhile takes no call away.
#pragma once

#include <optional>

#include "revenant/base/fd.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

inline constexpr const char* configuration_name = "config"; // in the keeper's store

// Memory that cannot be changed any more, or none.
[[nodiscard]] base::Fd stored(const shell::Configuration& configuration);

// Nothing if `fd` is anything else than what `stored` makes.
[[nodiscard]] std::optional<shell::Configuration> read_stored(int fd);

} // namespace revenant::app
