#include "revenant/shell/prompt.hpp"

#include <memory>
#include <string>
#include <utility>

#include <unistd.h>

#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "shell/prompt_kinds.hpp"

namespace revenant::shell {

std::unique_ptr<Prompt>
Prompt::open(const Table& table, Hooks hooks, const std::string& history_path) {
    if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
        return open_terminal_prompt(table, std::move(hooks), history_path);
    }
    return open_plain_prompt(std::move(hooks), STDIN_FILENO);
}

void Prompt::page(const Notice& text) {
    print(text);
}

} // namespace revenant::shell
