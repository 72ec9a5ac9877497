#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::shell {

namespace {

constexpr std::size_t line_length_max = 4096;

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// C0 except the tab, DEL, and C1 in UTF-8 (C2 80 .. C2 9F).
bool has_control_character(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
            return true;
        }
        const unsigned next = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0U;
        if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
            return true;
        }
    }
    return false;
}

// Reads words off the front of a line.
class Splitter {
public:
    explicit Splitter(std::string_view line) : rest_{line} {}

    // False at the end of the line.
    bool skip_to_word() {
        while (!rest_.empty() && is_blank(rest_.front())) {
            rest_.remove_prefix(1);
        }
        return !rest_.empty();
    }

    [[nodiscard]] bool at_hash() const { return rest_.starts_with('#'); }

    base::Result<std::string> word() {
        std::string out;
        while (!rest_.empty() && !is_blank(rest_.front())) {
            const char c = take();
            if (c == '\\') {
                if (rest_.empty()) {
                    return base::fail(base::Errc::bad_input,
                                      "a backslash at the end of the line escapes nothing");
                }
                out.push_back(take());
            } else if (c == '\'' || c == '"') {
                if (!quoted(c, out)) {
                    return base::fail(base::Errc::bad_input,
                                      std::string{"the quote "} + c + " is never closed");
                }
            } else {
                out.push_back(c);
            }
        }
        return out;
    }

private:
    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    // Up to the closing `quote`; false if there is none.
    bool quoted(char quote, std::string& out) {
        while (!rest_.empty()) {
            const char c = take();
            if (c == quote) {
                return true;
            }
            if (c == '\\' && quote == '"') {
                if (rest_.empty()) {
                    return false;
                }
                out.push_back(take());
            } else {
                out.push_back(c);
            }
        }
        return false;
    }

    std::string_view rest_;
};

} // namespace

base::Result<std::vector<std::string>> split_line(std::string_view line) {
    // The line end goes; blanks stay, for the last may be escaped.
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.size() > line_length_max) {
        return base::fail(base::Errc::bad_input,
                          "the line is longer than " + std::to_string(line_length_max) + " bytes");
    }
    if (has_control_character(line)) {
        return base::fail(base::Errc::bad_input, "the line contains a control character");
    }
    std::vector<std::string> words;
    Splitter splitter{line};
    // Behind the first word a '#' is a character like others: a key of a telephone.
    while (splitter.skip_to_word() && !(words.empty() && splitter.at_hash())) {
        auto word = splitter.word();
        if (!word) {
            return base::fail(std::move(word.error()));
        }
        words.push_back(std::move(*word));
    }
    return words;
}

} // namespace revenant::shell
