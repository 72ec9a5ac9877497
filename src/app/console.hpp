// What the user types into and reads from: prompt, script, and the commands about the program
// itself.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/shell/prompt.hpp"
#include "revenant/shell/script.hpp"

namespace revenant::app {

class Console {
public:
    // The ways out; those that come back have not found one.
    struct Hooks {
        std::function<void()> quit;
        std::function<void()> detach;
        std::function<void()> upgrade;
    };

    // All borrowed; they outlive the Console.
    Console(const shell::Options& options, Keeping& keeping, Switchboard& board, Hooks hooks);

    [[nodiscard]] shell::Table& table() { return table_; }

    void add_program_commands();
    // When all commands are there.
    void begin();
    // All calls are back: a script may begin.
    void begin_service();

    // Leaves the terminal as it was.
    void close() { prompt_.reset(); }

    // Commands come from a stdin that is no terminal, to its end.
    [[nodiscard]] bool is_stdin_script() const;

    // A script has commands left.
    [[nodiscard]] bool is_scripted() const { return is_scripted_; }

    // Commands that have failed where nobody sees it but by the exit status.
    [[nodiscard]] std::size_t failures() const { return failures_; }

private:
    // `stays`: its end does not end the phone.
    void begin_script(std::function<void(const shell::ScriptLine&, const base::Status&)> on_result,
                      bool stays);
    void begin_stdin_script();
    void begin_prompt();
    void on_line(const std::string& line);
    [[nodiscard]] bool may_outlive_us(std::string_view typed) const;
    void on_end_of_input();
    // With --json: what came of a command that was read from stdin.
    void tell_result(const std::string& line, const base::Status& status) const;

    const shell::Options* options_;
    Keeping* keeping_;
    Switchboard* board_;
    Hooks hooks_;
    shell::Table table_; // before those who run its commands
    std::unique_ptr<shell::Prompt> prompt_;
    base::Source prompt_refresh_;
    std::unique_ptr<shell::Script> script_;
    std::size_t failures_ = 0;
    bool in_service_ = false;
    bool is_scripted_ = false;
    bool end_was_asked_ = false; // Ctrl-D while calls are live, and nothing typed since
};

} // namespace revenant::app
