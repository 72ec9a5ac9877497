#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"
#include "shell/columns.hpp"
#include "shell/suggest.hpp"

namespace revenant::shell {

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : ", ") + word;
    }
    return out;
}

std::string synopsis(const Command& command) {
    return command.arguments.empty() ? command.name : command.name + " " + command.arguments;
}

std::string described(const Command& command) {
    return command.aliases.empty() ? command.help
                                   : command.help + " (" + joined(command.aliases) + ")";
}

// Headings in the order in which the table first names them.
std::vector<std::string> groups(const std::vector<Command>& commands) {
    std::vector<std::string> out;
    for (const Command& command : commands) {
        if (std::ranges::find(out, command.group) == out.end()) {
            out.push_back(command.group);
        }
    }
    return out;
}

} // namespace

std::string Table::help() const {
    std::vector<std::string> left;
    left.reserve(commands_.size());
    for (const Command& command : commands_) {
        left.push_back(synopsis(command));
    }
    const std::size_t width = column_width(left);
    std::string out;
    for (const std::string& group : groups(commands_)) {
        out += (out.empty() ? "" : "\n") + group + "\n";
        for (const Command& command : commands_) {
            if (command.group == group) {
                out += two_columns(synopsis(command), described(command), width);
            }
        }
    }
    out += "\n'help COMMAND' says more about one; \"…\", '…' and \\ quote; # at first: a comment";
    return out;
}

base::Result<std::string> Table::help(std::string_view name) const {
    const Command* command = find(name);
    if (command == nullptr) {
        return base::fail(unknown_command(commands_, name));
    }
    std::string out = usage_line(*command) + "\n" + wrapped(command->help, 2);
    if (!command->aliases.empty()) {
        out += wrapped("also: " + joined(command->aliases), 2);
    }
    if (!command->words.empty()) {
        out += wrapped("one of: " + joined(command->words), 2);
    }
    out.pop_back(); // the last newline is print's
    return out;
}

} // namespace revenant::shell
