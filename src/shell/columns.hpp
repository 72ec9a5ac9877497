// Text in two columns that fits the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace revenant::shell {

// Of standard output, 40 to 100; 80 if it is no terminal.
[[nodiscard]] std::size_t terminal_width();

// Columns that `text`, UTF-8, takes; every character counts one.
[[nodiscard]] std::size_t display_width(std::string_view text);

// The left column that fits all of `left` but the few that are so long that they get a line of
// their own.
[[nodiscard]] std::size_t column_width(const std::vector<std::string>& left);

// "  left    right…\n", the right one wrapped under itself.
[[nodiscard]] std::string two_columns(std::string_view left,
                                      std::string_view right,
                                      std::size_t width,
                                      std::size_t columns = terminal_width());

// `text` in lines that each begin with `indent` blanks and end with a newline.
[[nodiscard]] std::string
wrapped(std::string_view text, std::size_t indent, std::size_t columns = terminal_width());

} // namespace revenant::shell
