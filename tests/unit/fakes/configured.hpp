// Options that come from the text of a configuration file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "revenant/shell/options.hpp"

namespace revenant {

// The file is called revenant.conf. `words` are the command line.
inline base::Result<shell::Options> configured(const std::string& text,
                                               const std::vector<std::string>& words = {}) {
    std::vector<const char*> argv{"revenant"};
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    argv.push_back(nullptr);
    const shell::Configuration file{.path = "revenant.conf", .text = text};
    return shell::read_options(static_cast<int>(argv.size()) - 1, argv.data(), &file);
}

inline std::string refusal_of(const std::string& text, const std::vector<std::string>& words = {}) {
    const auto options = configured(text, words);
    return options ? "(accepted)" : options.error().context;
}

} // namespace revenant
