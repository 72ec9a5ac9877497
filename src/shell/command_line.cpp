#include "shell/command_line.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <getopt.h>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "shell/option_table.hpp"
#include "shell/suggest.hpp"

namespace revenant::shell {

namespace {

// What getopt_long returns for a row, with --no- or without; above every letter.
constexpr int first_code = 256;

int code_of(std::size_t row, bool is_on) {
    return first_code + static_cast<int>(2 * row) + (is_on ? 0 : 1);
}

// The table as getopt_long wants it.
struct Getopt {
    Getopt();

    void add(std::string_view name, int has_arg, int code) {
        names.emplace_back(name);
        longs.push_back(
            {.name = names.back().c_str(), .has_arg = has_arg, .flag = nullptr, .val = code});
    }

    std::deque<std::string> names; // which `longs` points to
    std::vector<option> longs;
    std::string letters{":"}; // a missing value is ':', not '?'
};

Getopt::Getopt() {
    const std::span<const OptionRow> table = option_table();
    for (std::size_t i = 0; i < table.size(); ++i) {
        const OptionRow& row = table[i];
        const int has_arg = row.takes == Takes::value            ? required_argument
                            : row.takes == Takes::optional_value ? optional_argument
                                                                 : no_argument;
        add(row.name, has_arg, code_of(i, true));
        if (!row.alias.empty()) {
            add(row.alias, has_arg, code_of(i, true));
        }
        if (is_negatable(row)) {
            add("no-" + std::string{row.name}, no_argument, code_of(i, false));
        }
        if (row.letter != '\0') {
            letters += row.letter;
            letters += row.takes == Takes::value ? ":" : "";
        }
    }
    longs.push_back({});
}

struct Found {
    const OptionRow* row = nullptr; // null: the code is nobody's
    bool is_on = true;
};

Found find(int code) {
    const std::span<const OptionRow> table = option_table();
    if (code >= first_code) {
        const int index = code - first_code;
        return {.row = &table[static_cast<std::size_t>(index / 2)], .is_on = index % 2 == 0};
    }
    for (const OptionRow& row : table) {
        if (code != 0 && row.letter == code) {
            return {.row = &row};
        }
    }
    return {};
}

// The full name of what getopt_long found, for errors.
std::string shown_name(const Found& found) {
    return std::string{found.is_on ? "--" : "--no-"}.append(found.row->name);
}

// "; did you mean '--audio'?", or nothing.
std::string guess(const Getopt& getopt, std::string_view word) {
    if (!word.starts_with("--")) {
        return {};
    }
    word = word.substr(2, word.find('=') - 2);
    std::vector<Spelling> spellings;
    for (const std::string& name : getopt.names) {
        spellings.push_back({.text = name, .meaning = "--" + name});
    }
    return did_you_mean(nearest(spellings, word));
}

// What is wrong with the option at which getopt_long returned `code`. `word` is where it stands,
// but not for an unknown letter: that is in optopt alone.
base::Error complaint(const Getopt& getopt, int code, std::string_view word) {
    const Found found = find(::optopt);
    std::string context;
    std::string guessed;
    if (code == ':') {
        context = shown_name(found) + " needs a value";
    } else if (found.row != nullptr) {
        context = shown_name(found) + " takes no value";
    } else if (::optopt != 0) {
        context = "unknown option '" +
                  base::printable(std::string{"-"} + static_cast<char>(::optopt)) + "'";
    } else {
        context = "unknown or ambiguous option '" + base::printable(word, 80) + "'";
        guessed = guess(getopt, word);
    }
    context += guessed.empty() ? "; --help lists the options" : guessed;
    return {.code = base::Errc::bad_input, .context = std::move(context)};
}

} // namespace

std::optional<base::Error>
read_command_line(int argc,
                  const char* const* argv,
                  const std::function<base::Status(const OptionRow&, const Said&)>& take) {
    static const Getopt getopt;
    // getopt_long sorts its argument; it gets a copy of the pointers, and writes no string.
    std::vector<char*> words;
    words.reserve(static_cast<std::size_t>(argc) + 1);
    for (int i = 0; i < argc; ++i) {
        words.push_back(
            const_cast<char*>(argv[i])); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    }
    words.push_back(nullptr);
    ::opterr = 0;
    ::optind = 0; // glibc: start anew
    std::optional<base::Error> first;
    const auto note = [&first](base::Error error) {
        first = first ? std::move(first) : std::optional{std::move(error)};
    };
    while (true) {
        const int code =
            ::getopt_long(argc, words.data(), getopt.letters.c_str(), getopt.longs.data(),
                          nullptr); // NOLINT(concurrency-mt-unsafe): at start
        if (code == -1) {
            break;
        }
        if (code == '?' || code == ':') {
            note(complaint(getopt, code, words[static_cast<std::size_t>(::optind) - 1]));
            continue;
        }
        const Found found = find(code);
        auto taken = take(*found.row, {.name = shown_name(found),
                                       .text = ::optarg == nullptr ? "" : ::optarg,
                                       .is_on = found.is_on});
        if (!taken) {
            note(std::move(taken.error()));
        }
    }
    if (::optind < argc) {
        const std::string_view word = words[static_cast<std::size_t>(::optind)];
        note({.code = base::Errc::bad_input,
              .context = "unexpected argument '" + base::printable(word, 80) +
                         "'; commands are given with -c, and quoted"});
    }
    return first;
}

} // namespace revenant::shell
