// The two kinds of prompt: readline on a terminal, plain lines from anything else.
#pragma once

#include <memory>
#include <string>

#include "revenant/shell/command.hpp"
#include "revenant/shell/prompt.hpp"

namespace revenant::shell {

[[nodiscard]] std::unique_ptr<Prompt>
open_terminal_prompt(const Table& table, Prompt::Hooks hooks, const std::string& history_path);

// Reads `fd`, which it borrows.
[[nodiscard]] std::unique_ptr<Prompt> open_plain_prompt(Prompt::Hooks hooks, int fd);

} // namespace revenant::shell
