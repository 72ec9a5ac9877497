// What TAB offers, decided from the table and the line alone; readline only shows it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/shell/command.hpp"

namespace revenant::shell {

// What the rest of the program knows that can be typed. Any may be empty.
struct Offers {
    std::function<std::vector<std::string>()> call_ids;
    std::function<std::vector<std::string>()> uris;
    std::function<std::vector<std::string>()> conditions;
};

struct Candidates {
    bool files = false; // names of files, which readline finds itself
    std::vector<std::string> words;
};

// For the `word` that is being typed, whose quoting is undone, after `before` on the same line.
// The words all begin with `word` and need no quoting.
[[nodiscard]] Candidates candidates(const Table& table,
                                    const Offers& offers,
                                    std::string_view before,
                                    std::string_view word);

// A file name as split_line reads it back, within the `quote` that is open (or '\0'), and back.
[[nodiscard]] std::string quoted_name(std::string_view name, char quote);
[[nodiscard]] std::string unquoted_name(std::string_view text, char quote);

} // namespace revenant::shell
