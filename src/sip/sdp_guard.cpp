// sofia-sip's SDP parser never ends on a media format that is no token: it allocates for ever, and
// 79 bytes from anybody take the machine down. The stack itself parses every offer before we see
// it, so the check stands where both come through: this `sdp_parse` wins over the library's, looks
// at the m= lines and passes the rest on.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "sip/next_function.hpp"
#include "sip/nua.hpp"

namespace revenant::sip {

namespace {

constexpr std::string_view digits = "0123456789";
// RFC 4566 §9: token.
constexpr std::string_view token_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                              "0123456789-!#$%&'*+.^_`{|}~";

bool is_of(std::string_view word, std::string_view characters) {
    return !word.empty() && word.find_first_not_of(characters) == std::string_view::npos;
}

// What comes before the first of `ends`. The text loses it, but for that character.
std::string_view take_until(std::string_view& text, std::string_view ends) {
    const std::string_view taken{text.begin(), std::ranges::find_first_of(text, ends)};
    text.remove_prefix(taken.size());
    return taken;
}

// The next word of the line, which loses it.
std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return take_until(line, " \t");
}

// token SP port["/" number] SP token["/" token …] SP token [SP token …]
bool is_sound_media(std::string_view fields) {
    const std::string_view media = next_word(fields);
    const std::string_view port = next_word(fields);
    std::string_view protocol = next_word(fields);
    const std::size_t slash = port.find('/');
    const bool port_is_sound =
        is_of(port.substr(0, slash), digits) &&
        (slash == std::string_view::npos || is_of(port.substr(slash + 1), digits));
    if (!is_of(media, token_characters) || !port_is_sound || protocol.empty()) {
        return false;
    }
    while (!protocol.empty()) {
        const std::size_t end = std::min(protocol.find('/'), protocol.size());
        if (!is_of(protocol.substr(0, end), token_characters) || end + 1 == protocol.size()) {
            return false;
        }
        protocol.remove_prefix(std::min(end + 1, protocol.size()));
    }
    // Behind the protocol the parser skips spaces only: a tab would be a format without an end.
    if (fields.find_first_not_of(" \t") == std::string_view::npos &&
        fields.find('\t') != std::string_view::npos) {
        return false;
    }
    for (std::string_view format = next_word(fields); !format.empty(); format = next_word(fields)) {
        if (!is_of(format, token_characters)) {
            return false;
        }
    }
    return true;
}

bool are_media_lines_sound(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = take_until(text, "\r\n");
        text.remove_prefix(text.empty() ? 0 : 1);
        const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
        const std::string_view bare = line.substr(start);
        if (bare.starts_with("m=") && !is_sound_media(bare.substr(2))) {
            return false;
        }
    }
    return true;
}

} // namespace

} // namespace revenant::sip

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the library has it unnamed
extern "C" sdp_parser_t*
sdp_parse(su_home_t* home, const char message[], issize_t size, int flags) {
    static auto* const real =
        revenant::sip::next_function<sdp_parser_t*(su_home_t*, const char[], issize_t, int)>(
            "sdp_parse");
    const bool is_there = message != nullptr;
    const std::size_t length = !is_there  ? 0
                               : size < 0 ? std::strlen(message)
                                          : static_cast<std::size_t>(size);
    if (is_there && !revenant::sip::are_media_lines_sound({message, length})) {
        // What the parser refuses at once, so that the caller sees an ordinary error.
        static constexpr std::string_view refused = "v=0\r\nm=\r\n";
        return real(home, refused.data(), static_cast<issize_t>(refused.size()), flags);
    }
    return real(home, message, size, flags);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
