// The keeper's command line.
#pragma once

#include <chrono>
#include <string>

namespace revenant::keeper {

struct Options {
    bool help = false;
    bool version = false;
    std::chrono::microseconds watchdog{2'000'000}; // 0: none
    unsigned burst = 5;
    char** command = nullptr; // PROGRAM ARGS... and a null pointer
    std::string error;        // not empty: nothing else counts
};

[[nodiscard]] Options read_options(char** argv);

extern const char* const usage;

} // namespace revenant::keeper
