// The configuration file as the first life of a kept phone has read it. The keeper holds its text,
// as it holds the command line, so that no call is lost to what becomes of the file meanwhile.
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
