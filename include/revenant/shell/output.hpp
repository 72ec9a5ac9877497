// Everything the user reads goes through here: coloured on a terminal, plain when piped, one JSON
// object a line with --json; and never through the line that is being typed.
//
// Nothing here waits. What a slow reader does not take is kept up to a megabyte and written from
// the main loop; beyond that whole notices are dropped, and "output.dropped" says how many. A
// reader that has gone away (a closed pipe; the program ignores SIGPIPE) ends the output, not the
// calls.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "revenant/base/result.hpp"

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
    bool rings = false; // the terminal's bell, where there is one
};

enum class Format : std::uint8_t { human, json };

// The notice "error" that a command's failure is told by: "origin: message", or the message alone
// without an origin; fields "origin" and "code".
[[nodiscard]] Notice failure_notice(const base::Error& error, std::string_view origin = {});

// As the enumerator is spelled, for programs: "bad_input".
[[nodiscard]] std::string_view code_name(base::Errc code);

// Fixed at start. Colour only if `colour` (stdout is a terminal, NO_COLOR unset, TERM not dumb).
void set_output(Format format, bool colour);

// Whether a notice may ring the bell; not unless said.
void set_bell(bool may_ring);

// Whether this standard output should be coloured, by the rule above.
[[nodiscard]] bool colour_wanted();

// Writes to stdout and flushes. With JSON the object has "time" (RFC 3339, UTC, milliseconds),
// "event", "call", "text" and the fields (a field of one of these names is left out). Text from the
// network must already be base::printable; this strips control characters once more, newlines
// excepted; JSON escapes them. A notice without text is for programs only. While a prompt is up,
// the line being typed is saved, cleared and put back.
void print(const Notice& notice);

// While one exists, notices wait for up to 20 ms and are then written together. For a time when
// thousands of calls have something to say: each write costs more than its notice, and wakes the
// reader. A crash loses what waits.
class Gathering {
public:
    Gathering();
    ~Gathering();
    Gathering(const Gathering&) = delete;
    Gathering& operator=(const Gathering&) = delete;
};

// Waits at most `wait_ms` for a slow reader to take what is kept back. Before every exit.
void flush_output(std::uint32_t wait_ms = 2000);

// The prompt registers how to step aside; both run around each write. Empty functions take it back.
void set_line_keeper(std::function<void()> hide, std::function<void()> show);

// As `print` writes it, newline included; empty if there is nothing to write.
[[nodiscard]] std::string rendered(const Notice& notice, Format format, bool colour);

} // namespace revenant::shell
