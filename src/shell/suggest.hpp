// What to say about a command: its usage; and what a mistyped name may have meant.
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

// Something that may be typed, and what it would mean.
struct Spelling {
    std::string text;
    std::string meaning;
};

// The meanings, at most three, of what `typed` begins or is a slip or two away from, nearest first.
[[nodiscard]] std::vector<std::string> nearest(const std::vector<Spelling>& spellings,
                                               std::string_view typed);

// "; did you mean 'a' or 'b'?", or "".
[[nodiscard]] std::string did_you_mean(const std::vector<std::string>& near);

// How many characters must be inserted, removed, replaced or swapped with their neighbour.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

} // namespace revenant::shell
