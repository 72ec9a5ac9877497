#include "shell/completion.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/text.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::shell {

namespace {

constexpr std::string_view special = " \t\\\"'#";
constexpr std::size_t alias_length_min = 3;

using Words = std::vector<std::string>;

Words from(const std::function<Words()>& offer) {
    return offer ? offer() : Words{};
}

// Those of `words` that begin with `start`, need no quoting and cannot harm the terminal.
Words beginning(const Words& words, std::string_view start) {
    Words out;
    for (const std::string& word : words) {
        const bool harmless = word.find_first_of(special) == std::string::npos &&
                              base::printable(word, word.size()) == word;
        if (word.starts_with(start) && harmless && std::ranges::find(out, word) == out.end()) {
            out.push_back(word);
        }
    }
    return out;
}

// Names; aliases only when no name begins like that, and only those longer than they are short.
Words command_names(const Table& table, std::string_view start) {
    Words names;
    Words aliases;
    for (const Command& command : table.commands()) {
        names.push_back(command.name);
        std::ranges::copy_if(command.aliases, std::back_inserter(aliases),
                             [](const std::string& s) { return s.size() >= alias_length_min; });
    }
    Words out = beginning(names, start);
    return out.empty() ? beginning(aliases, start) : out;
}

Completes kind_of(const Command& command, std::size_t argument) {
    if (command.completes.empty() || argument >= command.arguments_max) {
        return Completes::nothing;
    }
    return command.completes[std::min(argument, command.completes.size() - 1)];
}

} // namespace

Candidates candidates(const Table& table,
                      const Offers& offers,
                      std::string_view before,
                      std::string_view word) {
    // An open quote before the word belongs to the word itself.
    auto words = split_line(before);
    if (!words) {
        return {};
    }
    if (words->empty()) {
        const bool comment = !base::trim(before).empty();
        return {.words = comment ? Words{} : command_names(table, word)};
    }
    const Command* command = table.find(words->front());
    if (command == nullptr) {
        return {};
    }
    switch (kind_of(*command, words->size() - 1)) {
    case Completes::nothing: return {};
    case Completes::call_id: return {.words = beginning(from(offers.call_ids), word)};
    case Completes::uri: return {.words = beginning(from(offers.uris), word)};
    case Completes::file: return {.files = true, .words = {}};
    case Completes::command: return {.words = command_names(table, word)};
    case Completes::condition: return {.words = beginning(from(offers.conditions), word)};
    case Completes::words: return {.words = beginning(command->words, word)};
    }
    return {};
}

std::string quoted_name(std::string_view name, char quote) {
    if (quote == '\'') {
        return std::string{name}; // nothing can be escaped in there
    }
    const std::string_view escaped = quote == '"' ? std::string_view{"\\\""} : special;
    std::string out;
    for (const char c : name) {
        if (escaped.find(c) != std::string_view::npos) {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    return out;
}

std::string unquoted_name(std::string_view text, char quote) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && quote != '\'' && i + 1 < text.size();
        out.push_back(text[escape ? ++i : i]);
    }
    return out;
}

} // namespace revenant::shell
