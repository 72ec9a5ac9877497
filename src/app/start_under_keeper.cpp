// `revenant --keep`: the same command line under revenant-keeper.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

#include "revenant/app/phone.hpp"

namespace revenant::app {

namespace {

// This program's own file, so that the keeper is found beside it and starts the very same one.
std::string own_path() {
    std::array<char, 4096> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    return length > 0 ? std::string{path.data(), static_cast<std::size_t>(length)} : std::string{};
}

} // namespace

int run_kept(int argc, char** argv) {
    const std::string self = own_path();
    const std::string keeper = self.substr(0, self.rfind('/') + 1) + "revenant-keeper";
    std::vector<std::string> words{keeper, "--", self};
    words.insert(words.end(), argv + std::min(argc, 1), argv + argc);
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    ::execv(keeper.c_str(), pointers.data());
    static_cast<void>(std::fprintf(stderr, "revenant: cannot start %s: %s\n", keeper.c_str(),
                                   std::strerror(errno)));
    return exit_command_failed;
}

} // namespace revenant::app
