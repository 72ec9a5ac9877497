// One place for diagnostics. Messages for the user go through shell::print, not through here.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace revenant::base {

enum class Level : std::uint8_t { error, warning, info, debug };

using LogSink = std::function<void(Level, std::string_view)>;

// The sink gets one line without a newline, control characters already made harmless. Default:
// stderr. Main thread only, like all of these; the media thread counts instead of logging.
void set_log_sink(LogSink sink);
void set_log_level(Level highest);
[[nodiscard]] bool log_enabled(Level level);
void log(Level level, std::string_view line);

// A broken invariant of ours: says so and aborts, which leaves every call to the next start.
[[noreturn]] void die(std::string_view what);

} // namespace revenant::base
