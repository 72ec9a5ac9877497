#include "shell/readline_setup.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "revenant/base/boundary.hpp"
#include "revenant/shell/command.hpp"
#include "shell/completion.hpp"
#include "shell/history.hpp"
#include "shell/keys.hpp"

namespace revenant::shell {

namespace {

// What readline's callbacks work on: it passes them no pointer of ours.
struct Completion {
    const Table* table = nullptr;
    const Offers* offers = nullptr;
    std::vector<std::string> words;
    std::size_t next = 0;
};

Completion& completion() {
    static Completion instance;
    return instance;
}

// readline frees what it is given with free().
char* c_copy(std::string_view text) {
    auto* const copy = static_cast<char*>(std::malloc(text.size() + 1)); // NOLINT: freed by C
    if (copy != nullptr) {
        std::memcpy(copy, text.data(), text.size());
        copy[text.size()] = '\0';
    }
    return copy;
}

char* next_word(const char* /*text*/, int state) {
    char* word = nullptr;
    base::at_boundary("completion", [&] {
        Completion& c = completion();
        c.next = state == 0 ? 0 : c.next;
        if (c.next < c.words.size()) {
            word = c_copy(c.words[c.next++]);
        }
    });
    return word;
}

char** complete(const char* text, int start, int /*end*/) {
    rl_attempted_completion_over = 1; // never file names where they mean nothing
    char** matches = nullptr;
    base::at_boundary("completion", [&] {
        Completion& c = completion();
        if (c.table == nullptr || c.offers == nullptr) {
            return;
        }
        const char quote = static_cast<char>(rl_completion_quote_character);
        std::string_view before{rl_line_buffer, static_cast<std::size_t>(start)};
        if (quote != '\0' && before.ends_with(quote)) {
            before.remove_suffix(1);
        }
        // A pasted line before this one is not part of the command.
        const std::size_t newline = before.rfind('\n');
        before.remove_prefix(newline == std::string_view::npos ? 0 : newline + 1);
        Candidates found = candidates(*c.table, *c.offers, before, unquoted_name(text, quote));
        if (found.files) {
            matches = rl_completion_matches(text, rl_filename_completion_function);
            return;
        }
        c.words = std::move(found.words);
        const bool goes_on = c.words.size() == 1 &&
                             (c.words.front().ends_with('=') || c.words.front().ends_with(':'));
        rl_completion_suppress_append = goes_on ? 1 : 0;
        matches = rl_completion_matches(text, next_word);
    });
    return matches;
}

// The signatures of the next three are readline's.
// NOLINTBEGIN(readability-non-const-parameter)
char* quote_file_name(char* text, int /*match_type*/, char* quote) {
    char* out = nullptr;
    base::at_boundary("file name quoting",
                      [&] { out = c_copy(quoted_name(text, quote == nullptr ? '\0' : *quote)); });
    return out;
}

char* unquote_file_name(char* text, int quote) {
    char* out = nullptr;
    base::at_boundary("file name unquoting",
                      [&] { out = c_copy(unquoted_name(text, static_cast<char>(quote))); });
    return out;
}

int is_escaped(char* text, int index) {
    int backslashes = 0;
    while (backslashes < index && text[index - 1 - backslashes] == '\\') {
        ++backslashes;
    }
    return backslashes % 2;
}

// NOLINTEND(readability-non-const-parameter)

int do_nothing(int /*count*/, int /*key*/) {
    return 0;
}

// Ctrl-S would stop the terminal, and then the first echo the whole phone: it searches instead.
void prepare_terminal(int meta) {
    rl_prep_terminal(meta);
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
        settings.c_iflag &= ~static_cast<tcflag_t>(IXON);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    }
}

void set_up_once() {
    rl_readline_name = "revenant";
    rl_variable_bind("show-all-if-ambiguous", "on");
    rl_variable_bind("expand-tilde", "on");
    rl_catch_signals = 0; // the main loop takes them
    rl_catch_sigwinch = 0;
    rl_getc_function = take_key;
    rl_prep_term_function = prepare_terminal;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n\"'";
    rl_completer_quote_characters = "\"'";
    rl_filename_quote_characters = " \t\\\"'#";
    rl_filename_quoting_function = quote_file_name;
    rl_filename_dequoting_function = unquote_file_name;
    rl_char_is_quoted_p = is_escaped;
    rl_initialize();
    // Questions and pages wait for a key.
    rl_variable_bind("page-completions", "off");
    rl_completion_query_items = 0;
    // The end of a paste that `take_key` ended early.
    rl_bind_keyseq("\\e[201~", do_nothing);
    stifle_history(static_cast<int>(History::lines_max));
}

} // namespace

void set_up_readline(const Table& table, const Offers& offers) {
    static const bool done = [] {
        set_up_once();
        return true;
    }();
    static_cast<void>(done);
    completion().table = &table;
    completion().offers = &offers;
}

void forget_completion() {
    completion() = {};
}

void make_terminal_sane() {
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) != 0) {
        return;
    }
    constexpr tcflag_t wanted = ICANON | ECHO | ISIG | IEXTEN;
    if ((settings.c_lflag & wanted) != wanted) {
        settings.c_lflag |= wanted;
        settings.c_iflag |= ICRNL | IXON;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    }
}

} // namespace revenant::shell
