#include "revenant/base/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "revenant/base/text.hpp"

namespace revenant::base {

namespace {

void to_stderr(Level /*level*/, std::string_view line) {
    static_cast<void>(
        std::fprintf(stderr, "revenant: %.*s\n", static_cast<int>(line.size()), line.data()));
}

LogSink& sink() {
    static LogSink current = to_stderr;
    return current;
}

Level highest_level = Level::warning;

} // namespace

void set_log_sink(LogSink new_sink) {
    sink() = new_sink ? std::move(new_sink) : to_stderr;
}

void set_log_level(Level highest) {
    highest_level = highest;
}

bool log_enabled(Level level) {
    return level <= highest_level;
}

void log(Level level, std::string_view line) {
    if (log_enabled(level)) {
        sink()(level, printable(line, 2048));
    }
}

void die(std::string_view what) {
    // Not through the sink: what it needs may be the very thing that broke.
    to_stderr(Level::error, "internal error: " + printable(what));
    std::abort();
}

} // namespace revenant::base
