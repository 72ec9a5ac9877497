// Everything the user reads goes through here: coloured on a terminal, plain when piped, one JSON
// object a line with --json; and never through the line that is being typed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace revenant::shell {

enum class Tone : std::uint8_t { plain, good, attention, bad, faint };

using Value = std::variant<std::string, std::int64_t, double, bool>;

// One thing that happened. `text` is for people, without newline at its end (it may have several
// lines); `event` and `fields` are for programs: {"event":"call.established","call":1,…}.
struct Notice {
    std::string event; // dotted, lower case
    std::optional<std::uint32_t> call;
    Tone tone = Tone::plain;
    std::string text;
    std::vector<std::pair<std::string, Value>> fields;
};

enum class Format : std::uint8_t { human, json };

// Fixed at start. Colour only if `colour` (stdout is a terminal, NO_COLOR unset, TERM not dumb).
void set_output(Format format, bool colour);

// Writes to stdout and flushes. With JSON the object has "time" (RFC 3339, UTC, milliseconds),
// "event", "call", "text" and the fields. Text from the network must already be base::printable;
// this strips control characters once more, newlines excepted. While a prompt is up, the line
// being typed is saved, cleared and put back.
void print(const Notice& notice);

// The prompt registers how to step aside; both run around each write.
void set_line_keeper(std::function<void()> hide, std::function<void()> show);

} // namespace revenant::shell
