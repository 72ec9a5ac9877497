// The names of what `wait` can wait for, for completion.
#pragma once

#include <string>
#include <vector>

namespace revenant::app {

[[nodiscard]] std::vector<std::string> wait_conditions();

} // namespace revenant::app
