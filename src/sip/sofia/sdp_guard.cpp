#include "sip/sofia/sdp_guard.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "revenant/base/boundary.hpp"
#include "revenant/base/text.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/nua.hpp"

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

// NAME/RATE, as the parser wants it behind the payload type (RFC 4566 §6). A static type that
// comes without a clock rate keeps what RFC 3551 says of it.
bool is_sound_rtpmap(std::string_view value) {
    constexpr std::size_t rate_digits_max = 9;
    const std::string_view type = next_word(value);
    std::string_view encoding = next_word(value);
    const std::string_view name = take_until(encoding, "/");
    encoding.remove_prefix(std::min<std::size_t>(encoding.size(), 1));
    const std::string_view rate = take_until(encoding, "/");
    return is_of(type, digits) && is_of(name, token_characters) && is_of(rate, digits) &&
           rate.size() <= rate_digits_max;
}

// Attributes that somebody here reads.
bool is_used(std::string_view attribute) {
    static constexpr std::array<std::string_view, 8> names{
        "sendrecv", "sendonly", "recvonly", "inactive", "fmtp", "ptime", "maxptime", "rtcp"};
    std::string_view value = attribute;
    const std::string_view name = base::trim(take_until(value, ":"));
    value.remove_prefix(std::min<std::size_t>(value.size(), 1));
    if (base::equals_ignoring_case(name, "rtpmap")) {
        return is_sound_rtpmap(value);
    }
    return std::ranges::any_of(
        names, [&](std::string_view one) { return base::equals_ignoring_case(one, name); });
}

// v=, o=, c=, m= and some a=. A line without a type stays: what has one is no description.
bool is_needed(std::string_view line) {
    constexpr std::string_view skipped = "siuepbtrzk";
    if (line.size() < 2) {
        return false; // the parser would stop here, and not see the streams behind it
    }
    const bool has_type = line[1] == '=';
    return !has_type || (line[0] == 'a' ? is_used(line.substr(2))
                                        : skipped.find(line[0]) == std::string_view::npos);
}

std::string needed_lines(std::string_view text) {
    std::string needed;
    needed.reserve(text.size());
    while (!text.empty()) {
        const std::string_view line = base::trim(take_until(text, "\r\n"));
        text.remove_prefix(std::min<std::size_t>(text.size(), 1));
        if (is_needed(line)) {
            needed.append(line).append("\r\n");
        }
    }
    return needed;
}

} // namespace

sdp_parser_t* parse_guarded(su_home_t* home, const char text[], issize_t size, int flags) {
    auto* const own = hooks.sdp_parse.own();
    const bool is_there = text != nullptr;
    const std::size_t length = !is_there  ? 0
                               : size < 0 ? std::strlen(text)
                                          : static_cast<std::size_t>(size);
    if (is_there && !are_media_lines_sound({text, length})) {
        // What the parser refuses at once, so that the caller sees an ordinary error.
        static constexpr std::string_view refused = "v=0\r\nm=\r\n";
        return own(home, refused.data(), static_cast<issize_t>(refused.size()), flags);
    }
    if (!is_there || (flags & sdp_f_config) != 0) { // our own, which is all to be said
        return own(home, text, size, flags);
    }
    sdp_parser_t* parser = nullptr;
    base::at_boundary("a session description", [&] {
        const std::string needed = needed_lines({text, length});
        parser = own(home, needed.data(), static_cast<issize_t>(needed.size()), flags);
    });
    return parser;
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

// What is to be said of our media: what we gave it, to the byte. The library would send what its
// own matching of streams has made of that; and where an offer begins with a stream that is off, it
// takes our line for that stream as the one for the next, and turns all audio off.
int local_sdp(const soa_session_t* session,
              const sdp_session_t** parsed,
              const char** text,
              isize_t* length) {
    const int result = hooks.soa_get_local_sdp.own()(session, parsed, text, length);
    return result <= 0 ? result : soa_get_user_sdp(session, nullptr, text, length);
}

const Standing parsing{hooks.sdp_parse, parse_guarded};
const Standing saying{hooks.soa_get_local_sdp, local_sdp};

} // namespace

} // namespace revenant::sip
