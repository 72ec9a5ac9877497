// The one command table: the prompt, -c, -f and a stdin that is no terminal all go through it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"

namespace revenant::shell {

// Called exactly once, from the main loop or from within `run`, when the command has finished:
// success or the reason of the failure, as shown to the user.
using Done = std::function<void(base::Status)>;
using Arguments = std::vector<std::string>; // without the command's own name

// What TAB offers for an argument.
enum class Completes : std::uint8_t { nothing, call_id, uri, file, command, condition, words };

struct Command {
    std::string name;
    std::vector<std::string> aliases;
    std::string arguments; // as in the usage line: "[ID] [SECONDS]"
    std::string help;      // one line, no full stop
    std::string group;     // heading in `help`: "Calls", "Media", "Scripts", "Program"
    std::size_t arguments_min = 0;
    std::size_t arguments_max = 0;
    std::vector<Completes> completes; // per argument; the last one repeats
    std::vector<std::string> words;   // offered where Completes::words
    bool secret = false;              // its lines never reach the history
    std::function<void(const Arguments&, Done)> run;
};

class Table {
public:
    // A name or alias that is taken already, or no function, is a bug of ours: asserted.
    void add(Command command);

    // By name or alias. Case does not matter, except where two commands differ only in case
    // (d and D, u and U). Failing that, by three characters or more with which the names and
    // aliases of only one command begin. Null if there is none.
    [[nodiscard]] const Command* find(std::string_view name) const;

    [[nodiscard]] const std::vector<Command>& commands() const { return commands_; }

    // One line as typed: blank and '#' lines finish at once with success; an unknown command or a
    // wrong number of arguments fails with Errc::bad_input and the usage line.
    void run_line(std::string_view line, const Done& done) const;

    // Whether the line names a command that is `secret`, also if it cannot be split. Such a line is
    // neither shown nor kept.
    [[nodiscard]] bool is_secret(std::string_view line) const;

    // All commands in groups, or the usage and help of one.
    [[nodiscard]] std::string help() const;
    [[nodiscard]] base::Result<std::string> help(std::string_view name) const;

private:
    std::vector<Command> commands_;
};

// Splits a line into words: blanks separate, '…' and "…" quote, backslash escapes outside '…',
// '#' at the start of the first word begins a comment. Errc::bad_input for an open quote, a control
// character or a line over 4096 bytes.
[[nodiscard]] base::Result<std::vector<std::string>> split_line(std::string_view line);

} // namespace revenant::shell
