// A TCP connection of this process with itself.
#pragma once

#include <optional>
#include <utility>

#include "revenant/base/fd.hpp"

namespace revenant::sip {

// Both ends, blocking; none when the system refuses.
[[nodiscard]] std::optional<std::pair<base::Fd, base::Fd>> loopback_pair();

} // namespace revenant::sip
