#include "shell/columns.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

namespace revenant::shell {

namespace {

constexpr std::size_t left_width_max = 28;
constexpr std::size_t width_min = 40;
constexpr std::size_t width_max = 100; // longer lines are hard to read
constexpr std::size_t width_unknown = 80;
constexpr std::size_t margin = 2; // before and between the columns

// The first line of `text` that fits in `width`, cut at a blank where there is one; takes it off.
std::string take_line(std::string_view& text, std::size_t width) {
    std::size_t cut = std::string_view::npos;
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ') {
            cut = columns <= width || cut == std::string_view::npos ? i : cut;
        }
        columns += (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U ? 1U : 0U;
        if (columns > width && cut != std::string_view::npos) {
            break;
        }
    }
    if (columns <= width || cut == std::string_view::npos) {
        cut = text.size();
    }
    std::string line{text.substr(0, cut)};
    text.remove_prefix(std::min(text.size(), cut + 1));
    return line;
}

} // namespace

std::size_t terminal_width() {
    winsize size{};
    const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? std::clamp<std::size_t>(size.ws_col, width_min, width_max) : width_unknown;
}

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::size_t column_width(const std::vector<std::string>& left) {
    std::size_t width = 0;
    const std::size_t most = std::min(left_width_max, terminal_width() / 3);
    for (const std::string& text : left) {
        const std::size_t columns = display_width(text);
        if (columns <= most) {
            width = std::max(width, columns);
        }
    }
    return width;
}

std::string
two_columns(std::string_view left, std::string_view right, std::size_t width, std::size_t columns) {
    std::string out = std::string(margin, ' ').append(left);
    const std::size_t start = margin + width + margin;
    if (display_width(left) > width) {
        out += "\n" + std::string(start, ' ');
    } else {
        out += std::string(start - display_width(out), ' ');
    }
    out += take_line(right, columns - start) + "\n";
    return right.empty() ? out : out + wrapped(right, start, columns);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
    std::string out;
    do {
        out += std::string(indent, ' ') + take_line(text, columns - indent) + "\n";
    } while (!text.empty());
    return out;
}

} // namespace revenant::shell
