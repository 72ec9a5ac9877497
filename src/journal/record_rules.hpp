// The rules that a member of a record may have to keep, as values: the description of a record
// (dialog_fields.hpp) names them, and whoever visits it applies them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "journal/uri.hpp"

namespace revenant::journal {

// RFC 3261 §8.1.1.5: a CSeq is below 2^31.
inline constexpr std::uint32_t cseq_max = 0x7FFF'FFFF;
// Entries of any list in a record.
inline constexpr std::size_t list_max = 128;
// Of all strings of a record together, in bytes. A byte takes at most six characters ("\u0001"),
// so that every record that passes encodes to less than `record_size_max`.
inline constexpr std::size_t strings_size_max = std::size_t{160} * 1024;

// Which bytes a text may have.
enum class Alphabet : std::uint8_t {
    bytes, // any
    sdp,   // no NUL
    line,  // nor a line break: fits into one header line
    word,  // no blank and no control character: Call-ID, tags, URIs
};

// What a text must be unless it is empty.
enum class Form : std::uint8_t {
    any,
    address, // numeric, IPv4 or IPv6
    uri,     // where requests are sent: see uri.hpp
    route,   // the same as a name-addr
};

struct TextRule {
    Alphabet alphabet = Alphabet::bytes;
    Form form = Form::any;
    Hop hop = Hop::next;                     // of a URI
    std::size_t size_max = strings_size_max; // bytes
    bool may_be_empty = true;
};

struct ListRule {
    TextRule first;
    TextRule others;
};

struct Range {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    bool or_zero = false;
};

// One of these numbers.
struct OneOf {
    std::span<const std::uint32_t> values;
};

namespace rule {

inline constexpr TextRule bytes{.alphabet = Alphabet::bytes};
inline constexpr TextRule sdp{.alphabet = Alphabet::sdp};
inline constexpr TextRule line{.alphabet = Alphabet::line};
inline constexpr TextRule word{.alphabet = Alphabet::word};
inline constexpr TextRule address{.alphabet = Alphabet::word, .form = Form::address};

[[nodiscard]] constexpr TextRule filled(TextRule rule, bool needed = true) {
    rule.may_be_empty = !needed;
    return rule;
}

// All that an integer of this type can be.
template <std::integral Integer>
inline constexpr Range whole = [] {
    static_assert(sizeof(Integer) < sizeof(std::int64_t) || std::is_signed_v<Integer>);
    using Limits = std::numeric_limits<Integer>;
    return Range{.min = Limits::min(), .max = Limits::max()};
}();

// A name that the user gives.
inline constexpr TextRule name{.alphabet = Alphabet::word, .size_max = 64};

// Where we send, by the transport of the call.
[[nodiscard]] constexpr TextRule uri(Hop hop) {
    return {.alphabet = Alphabet::word, .form = Form::uri, .hop = hop};
}

[[nodiscard]] constexpr ListRule route_set(Hop hop) {
    constexpr TextRule any{.alphabet = Alphabet::line, .form = Form::route, .may_be_empty = false};
    ListRule both{.first = any, .others = any};
    both.first.hop = hop;
    both.others.hop = Hop::later;
    return both;
}

inline constexpr Range cseq{.max = cseq_max};
inline constexpr Range time{}; // milliseconds or nanoseconds since 1970

} // namespace rule

} // namespace revenant::journal
