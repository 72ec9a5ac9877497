// The interactive line: readline driven by the main loop, completion from the command table,
// history without secrets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "revenant/shell/command.hpp"

namespace revenant::shell {

class Prompt {
public:
    struct Hooks {
        std::function<void(std::string)> on_line;          // a whole line, not blank
        std::function<void()> on_end;                      // Ctrl-D on an empty line
        std::function<std::vector<std::string>()> call_ids; // for completion, now
        std::function<std::vector<std::string>()> uris;
        std::function<std::vector<std::string>()> conditions; // of `wait`
        std::function<std::string()> text; // the prompt itself, asked before each line: "2 calls> "
    };

    // Takes over stdin. Only one may exist (readline is global). `history_path` may be empty.
    // `table` must outlive the prompt.
    [[nodiscard]] static std::unique_ptr<Prompt> open(const Table& table, Hooks hooks,
                                                      const std::string& history_path);
    virtual ~Prompt() = default; // terminal restored, history written

    // Redraws with a new prompt text; what is being typed stays.
    virtual void refresh() = 0;
};

} // namespace revenant::shell
