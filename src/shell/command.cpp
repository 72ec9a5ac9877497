#include "revenant/shell/command.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "shell/suggest.hpp"

namespace revenant::shell {

namespace {

// Below this a prefix is too easily a slip of the finger for something like `quit`.
constexpr std::size_t prefix_length_min = 3;

template <typename Matches>
bool any_name(const Command& command, Matches matches) {
    return matches(command.name) || std::ranges::any_of(command.aliases, matches);
}

// The only command with a name that `matches`; null if there is none or more than one.
template <typename Matches>
const Command* only(const std::vector<Command>& commands, Matches matches) {
    const Command* found = nullptr;
    for (const Command& command : commands) {
        if (any_name(command, matches)) {
            if (found != nullptr) {
                return nullptr;
            }
            found = &command;
        }
    }
    return found;
}

} // namespace

std::string usage_line(const Command& command) {
    std::string out = "usage: " + command.name;
    if (!command.arguments.empty()) {
        out += " " + command.arguments;
    }
    return out;
}

base::Error unknown_command(const std::vector<Command>& commands, std::string_view name) {
    std::vector<Spelling> spellings;
    for (const Command& command : commands) {
        spellings.push_back({.text = command.name, .meaning = command.name});
        for (const std::string& alias : command.aliases) {
            spellings.push_back({.text = alias, .meaning = command.name});
        }
    }
    const std::string guess = did_you_mean(nearest(spellings, name));
    std::string context = "unknown command '" + base::printable(name, 40) + "'" +
                          (guess.empty() ? "; 'help' lists the commands" : guess);
    return {.code = base::Errc::bad_input, .context = std::move(context)};
}

void Table::add(Command command) {
    // A name that two commands share would make one of them unreachable: a bug of ours.
    assert(std::ranges::none_of(commands_, [&](const Command& other) {
        return any_name(other, [&](const std::string& taken) {
            return any_name(command, [&](const std::string& name) { return name == taken; });
        });
    }));
    assert(command.run);
    commands_.push_back(std::move(command));
}

const Command* Table::find(std::string_view name) const {
    if (name.empty()) {
        return nullptr;
    }
    if (const Command* exact = only(commands_, [&](std::string_view s) { return s == name; })) {
        return exact;
    }
    const auto same_letters = [&](std::string_view s) {
        return base::equals_ignoring_case(s, name);
    };
    if (std::ranges::any_of(commands_,
                            [&](const Command& c) { return any_name(c, same_letters); })) {
        return only(commands_, same_letters);
    }
    if (name.size() < prefix_length_min) {
        return nullptr;
    }
    return only(commands_, [&](std::string_view s) {
        return base::equals_ignoring_case(s.substr(0, name.size()), name);
    });
}

void Table::run_line(std::string_view line, const Done& done) const {
    auto words = split_line(line);
    if (!words) {
        return done(base::fail(std::move(words.error())));
    }
    if (words->empty()) {
        return done({});
    }
    const Command* command = find(words->front());
    if (command == nullptr) {
        return done(base::fail(unknown_command(commands_, words->front())));
    }
    words->erase(words->begin());
    if (words->size() < command->arguments_min || words->size() > command->arguments_max) {
        const std::string what = words->size() < command->arguments_min ? "too few" : "too many";
        return done(base::fail(base::Errc::bad_input, what + " arguments for '" + command->name +
                                                          "'; " + usage_line(*command)));
    }
    command->run(*words, done);
}

bool Table::is_secret(std::string_view line) const {
    auto words = split_line(line);
    if (words) {
        const Command* command = words->empty() ? nullptr : find(words->front());
        return command != nullptr && command->secret;
    }
    // A line with an open quote still shows its password: its first word is read roughly.
    std::string name;
    for (const char c : base::trim(line)) {
        if (c == ' ' || c == '\t') {
            break;
        }
        if (c != '"' && c != '\'' && c != '\\') {
            name.push_back(c);
        }
    }
    const Command* command = find(name);
    return command != nullptr && command->secret;
}

} // namespace revenant::shell
