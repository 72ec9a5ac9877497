// The interactive line: readline driven by the main loop, completion from the command table,
// history without secrets.
//
// Only where stdin and stdout are terminals. Otherwise lines are read from stdin as they are,
// without prompt, history or completion, and no terminal setting is touched.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::shell {

class Prompt {
public:
    struct Hooks {
        std::function<void(std::string)> on_line; // a whole line, not blank
        // Ctrl-D on an empty line, after which the prompt comes back unless it is destroyed; or the
        // end of stdin (pipe closed), after which nothing more comes.
        std::function<void()> on_end;
        std::function<void()> on_hang_up = {}; // the terminal has gone; empty: as on_end
        std::function<std::vector<std::string>()> call_ids; // for completion, now
        std::function<std::vector<std::string>()> uris;
        std::function<std::vector<std::string>()> conditions; // of `wait`
        std::function<std::string()> text; // the prompt itself, asked before each line: "2 calls> "
        std::function<void()> on_interrupt; // Ctrl-C while nothing is typed; may be empty
        // The line that is being typed has become this, its cursor before that byte; may be empty.
        // Several lines if they were pasted. Called before `on_line` with an empty one.
        std::function<void(std::string_view line, std::size_t cursor)> on_typing{};
        // What had been typed before the prompt was there.
        std::string typed{};
        std::size_t cursor = 0;
    };

    // Takes over stdin, and on a terminal SIGINT (clears the line), SIGWINCH and SIGCONT. Only one
    // may exist (readline is global). `history_path` may be empty; a history that cannot be read or
    // written is logged as a warning. `table` must outlive the prompt. A hook may destroy the
    // prompt, except those for completion and `text`.
    //
    // Every line that is typed, several at once when they are pasted, is handed to `on_line`
    // without waiting for the one before. The history holds no line that begins with a blank, none
    // of a `secret` command, and in its file none whose command is unknown: it may be a secret one
    // mistyped.
    [[nodiscard]] static std::unique_ptr<Prompt>
    open(const Table& table, Hooks hooks, const std::string& history_path);
    Prompt() = default;
    Prompt(const Prompt&) = delete;
    Prompt& operator=(const Prompt&) = delete;
    virtual ~Prompt() = default; // terminal restored, what was being typed cleared away

    // Redraws with a new prompt text; what is being typed stays.
    virtual void refresh() = 0;

    // Prints a long text from within `on_line`, on a terminal one window after the other: Enter
    // shows the next, anything else that is typed ends it.
    virtual void page(const Notice& text);
};

} // namespace revenant::shell
