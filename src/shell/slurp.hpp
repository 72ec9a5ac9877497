// A whole file in memory, with a bound.
#pragma once

#include <cstddef>
#include <string>

#include "revenant/base/result.hpp"

namespace revenant::shell {

// Everything from `fd` to its end. More than `size_max` bytes is an error (/dev/zero has no end);
// the context is the bare reason.
[[nodiscard]] base::Result<std::string> slurp(int fd, std::size_t size_max);

} // namespace revenant::shell
