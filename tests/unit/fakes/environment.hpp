// The process's environment as a test wants it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace revenant {

// Without the variables that the options know, in a home where nothing is; and back again.
class Environment {
public:
    Environment() {
        for (const char* name : names) {
            const char* value = std::getenv(name);
            before_.emplace_back(value == nullptr ? "\1" : value);
            ::unsetenv(name);
        }
        ::setenv("HOME", "/home/alice", 1);
    }

    ~Environment() {
        for (std::size_t i = 0; i < before_.size(); ++i) {
            if (before_[i] == "\1") {
                ::unsetenv(names[i]);
            } else {
                ::setenv(names[i], before_[i].c_str(), 1);
            }
        }
    }

    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    static void set(const char* name, const char* value) { ::setenv(name, value, 1); }

private:
    static constexpr const char* names[] = {"HOME",          "XDG_STATE_HOME", "XDG_CONFIG_HOME",
                                            "REVENANT_AOR",  "REVENANT_STATE", "REVENANT_PROXY",
                                            "REVENANT_AUDIO"};
    std::vector<std::string> before_;
};

} // namespace revenant
