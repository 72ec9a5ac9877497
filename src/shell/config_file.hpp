// The configuration file's text: groups of keys and values, each with the line that it is in.
// GKeyFile says what is well-formed, and what a value's escapes stand for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::shell {

inline constexpr std::size_t config_size_max = 65'536;

struct ConfigEntry {
    std::size_t line = 0; // from 1
    std::string group;
    std::string key; // empty: this is the line that begins the group
    std::string value;
};

// Errc::not_found if there is none. Anything but a regular file of at most config_size_max bytes is
// an error.
[[nodiscard]] base::Result<Configuration> read_config_file(const std::string& path);

// All entries in the order of the file. A line that is none, a group or a key that is there twice,
// bytes that are no text: an error that names file and line.
[[nodiscard]] base::Result<std::vector<ConfigEntry>> parse_config(const Configuration& config);

// "/home/alice/.config/revenant/revenant.conf:3: ", for errors.
[[nodiscard]] std::string config_place(const Configuration& config, std::size_t line);

} // namespace revenant::shell
