// What bash and zsh offer after `revenant`.
#include <string>
#include <string_view>
#include <vector>

#include "revenant/shell/documents.hpp"
#include "shell/option_table.hpp"

namespace revenant::shell {

namespace {

enum class Offer { nothing, files, folders, words };

Offer offer(const OptionRow& row) {
    if (row.takes == Takes::nothing || row.takes == Takes::count) {
        return Offer::nothing;
    }
    if (!choices(row).empty()) {
        return Offer::words;
    }
    return row.argument == "FILE"  ? Offer::files
           : row.argument == "DIR" ? Offer::folders
                                   : Offer::nothing;
}

bool is_documented(const OptionRow& row) {
    return row.group != Group::tests;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string out;
    for (const std::string& word : words) {
        out.append(out.empty() ? "" : separator).append(word);
    }
    return out;
}

// "--listen", "-p"
std::vector<std::string> spellings(const OptionRow& row) {
    std::vector<std::string> out;
    if (row.letter != '\0') {
        out.push_back(std::string{'-', row.letter});
    }
    out.push_back("--" + std::string{row.name});
    if (!row.alias.empty()) {
        out.push_back("--" + std::string{row.alias});
    }
    return out;
}

// A branch of bash's case: what may follow these options.
std::string branch(const OptionRow& row) {
    std::string what;
    switch (offer(row)) {
    case Offer::nothing: what = "return"; break;
    case Offer::files:
        what = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return";
        break;
    case Offer::folders:
        what = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); return";
        break;
    case Offer::words:
        what = "mapfile -t COMPREPLY < <(compgen -W '" + joined(choices(row), " ") +
               "' -- \"$word\"); return";
        break;
    }
    return "        " + joined(spellings(row), "|") + ") " + what + " ;;\n";
}

// Within an _arguments specification in single quotes.
std::string zsh_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c == '[' || c == ']' || c == ':' || c == '\\' ? "\\" : "";
            out += c;
        }
    }
    return out;
}

std::string zsh_value(const OptionRow& row) {
    if (row.takes == Takes::nothing || row.takes == Takes::count) {
        return {};
    }
    const std::string colons = row.takes == Takes::optional_value ? "::" : ":";
    const std::string message = colons + zsh_escaped(row.argument) + ":";
    switch (offer(row)) {
    case Offer::nothing: break;
    case Offer::files: return message + "_files";
    case Offer::folders: return message + "_files -/";
    case Offer::words: return message + "(" + joined(choices(row), " ") + ")";
    }
    return message + " ";
}

std::string zsh_line(const std::string& name, const OptionRow& row, const std::string& value) {
    return "    '*" + name + "[" + zsh_escaped(row.help) + "]" + value + "' \\\n";
}

} // namespace

std::string bash_completion() {
    std::vector<std::string> names;
    std::string branches;
    for (const OptionRow& row : option_table()) {
        if (!is_documented(row)) {
            continue;
        }
        names.push_back("--" + std::string{row.name});
        if (is_negatable(row)) {
            names.push_back("--no-" + std::string{row.name});
        }
        if (row.takes == Takes::value) {
            branches += branch(row);
        }
    }
    return R"(# bash completion for revenant, made of its table of options.
_revenant() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # In --resume=auto the '=' is a word of its own.
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $before in
)" + branches +
           R"(    esac
    mapfile -t COMPREPLY < <(compgen -W ')" +
           joined(names, " ") + R"(' -- "$word")
} && complete -F _revenant revenant
)";
}

std::string zsh_completion() {
    std::string out =
        "#compdef revenant\n# Made of revenant's table of options.\n_arguments -s -S \\\n";
    for (const OptionRow& row : option_table()) {
        if (!is_documented(row)) {
            continue;
        }
        const std::string value = zsh_value(row);
        if (row.letter != '\0') {
            const bool takes_value = row.takes == Takes::value;
            out += zsh_line(std::string{'-', row.letter} + (takes_value ? "+" : ""), row,
                            takes_value ? value : "");
        }
        const std::string sign = row.takes == Takes::value            ? "="
                                 : row.takes == Takes::optional_value ? "=-"
                                                                      : "";
        const std::string on = "--" + std::string{row.name};
        const std::string off = "--no-" + std::string{row.name};
        out += zsh_line(std::string{row.is_on_by_default ? off : on}.append(sign), row, value);
        if (is_negatable(row)) {
            const std::string& other = row.is_on_by_default ? on : off;
            out += "    '*" + other + "[not what the configuration file says]' \\\n";
        }
    }
    out.resize(out.size() - 3); // the last " \"
    return out + "\n";
}

} // namespace revenant::shell
