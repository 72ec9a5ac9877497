#include "revenant/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace revenant::base {

namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0; // bytes; 0: not UTF-8
};

// One character at the start of `text`, which is not empty (RFC 3629: shortest form, no
// surrogates, nothing above U+10FFFF).
Character next_character(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    };
    const std::uint32_t first = byte(0);
    if (first < 0x80) {
        return {.code = first, .length = 1};
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) {
        return {};
    }
    std::uint32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return {};
        }
        code = (code << 6U) | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (overlong || surrogate || code > 0x10FFFF) {
        return {};
    }
    return {.code = code, .length = length};
}

bool is_harmless(std::uint32_t code) {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool line_break = code == 0x2028 || code == 0x2029;
    const bool direction = (code >= 0x202A && code <= 0x202E) ||
                           (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F;
    return !control && !line_break && !direction;
}

// Objects, not functions: an algorithm calls a function through a pointer, once a character.
constexpr auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
constexpr auto is_printable_ascii = [](char c) { return c >= 0x20 && c < 0x7F; };

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

std::string printable(std::string_view text, std::size_t length_max) {
    if (text.size() <= length_max && std::ranges::all_of(text, is_printable_ascii)) {
        return std::string{text}; // nearly always
    }
    std::string out;
    while (!text.empty()) {
        const Character c = next_character(text);
        const bool keep = c.length > 0 && is_harmless(c.code);
        const std::size_t taken = c.length > 0 ? c.length : 1;
        const std::size_t written = keep ? taken : 1;
        if (out.size() + written > length_max) {
            break;
        }
        if (keep) {
            out.append(text.substr(0, taken));
        } else {
            out.push_back('?');
        }
        text.remove_prefix(taken);
    }
    return out;
}

bool is_utf8(std::string_view text) {
    const auto* other = std::ranges::find_if_not(text, is_ascii);
    text.remove_prefix(static_cast<std::size_t>(other - text.begin()));
    while (!text.empty()) {
        const Character c = next_character(text);
        if (c.length == 0) {
            return false;
        }
        text.remove_prefix(c.length);
    }
    return true;
}

std::optional<std::uint32_t> to_u32(std::string_view text) {
    std::uint32_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::uint16_t> to_port(std::string_view text) {
    const auto value = to_u32(text);
    if (!value || *value == 0 || *value > 65535) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(*value);
}

std::string to_lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        c = lower(c);
    }
    return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

} // namespace revenant::base
