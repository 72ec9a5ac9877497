// Prints one of the files that are installed beside the program. Runs when that is built.
#include "revenant/shell/documents.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

int main(int argc, char** argv) {
    using namespace revenant::shell;
    constexpr std::array<std::pair<std::string_view, std::string (*)()>, 4> documents{
        {{"revenant.1", man_page},
         {"revenant.conf.5", config_man_page},
         {"revenant.bash", bash_completion},
         {"revenant.zsh", zsh_completion}}};
    for (const auto& [name, make] : documents) {
        if (argc == 2 && name == argv[1]) {
            const bool is_written = std::fputs(make().c_str(), stdout) >= 0;
            return is_written && std::fflush(stdout) == 0 ? 0 : 1;
        }
    }
    static_cast<void>(std::fputs("usage: documents NAME, one of:", stderr));
    for (const auto& document : documents) {
        static_cast<void>(std::fprintf(stderr, " %s", std::string{document.first}.c_str()));
    }
    static_cast<void>(std::fputs("\n", stderr));
    return 2;
}
