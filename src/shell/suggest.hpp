// What to say about a command: its usage, and what a mistyped one may have meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::shell {

// "usage: invite URI"
[[nodiscard]] std::string usage_line(const Command& command);

// Errc::bad_input with what the user may have meant.
[[nodiscard]] base::Error unknown_command(const std::vector<Command>& commands,
                                          std::string_view name);

// At most three command names that `name` begins, or that are a slip or two away, nearest first.
[[nodiscard]] std::vector<std::string> suggestions(const std::vector<Command>& commands,
                                                   std::string_view name);

// How many characters must be inserted, removed, replaced or swapped with their neighbour.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

} // namespace revenant::shell
