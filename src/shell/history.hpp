// The lines that were typed, kept in a file that survives a kill: each is appended as it is
// entered, and the file is cut to its newest lines when it is opened.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"

namespace revenant::shell {

class History {
public:
    static constexpr std::size_t lines_max = 1000;

    // Reads `path` (empty: nothing is kept), mode 0600 from here on. A file that is not there is
    // an empty one; one that cannot be read is left alone and nothing is appended to it.
    [[nodiscard]] base::Status load(const std::string& path);

    // Whether a typed line belongs into the history: not blank, not begun by a blank, not the same
    // as the one before.
    [[nodiscard]] bool wants(std::string_view line) const;

    // Remembers the line; with `to_file` the file gets it too. A file that cannot be written is
    // reported once and then left alone.
    [[nodiscard]] base::Status add(const std::string& line, bool to_file);

    // Oldest first.
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

private:
    [[nodiscard]] base::Status append(const std::string& line);
    [[nodiscard]] base::Status rewrite() const;

    std::string path_; // empty: not kept
    std::vector<std::string> lines_;
};

} // namespace revenant::shell
