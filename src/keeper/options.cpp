#include "keeper/options.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "keeper/say.hpp"

namespace revenant::keeper {

const char* const usage =
    "usage: revenant-keeper [OPTIONS] [--] PROGRAM [ARGS...]\n"
    "\n"
    "Starts PROGRAM, keeps the sockets that it stores (sd_pid_notify_with_fds), and starts it "
    "again\n"
    "at once when a signal kills it. Ends with PROGRAM's exit status when PROGRAM exits.\n"
    "\n"
    "  --watchdog SECONDS  kill PROGRAM, and start it again, when it says no WATCHDOG=1 for so "
    "long\n"
    "                      (2; two and a half times as long until READY=1; 0: never)\n"
    "  --burst COUNT       wait before the next start after COUNT deaths within 10 s, each less "
    "than\n"
    "                      2 s after a start (5; 0: never wait)\n"
    "  -h, --help          show this\n"
    "  --version           show the version\n"
    "\n"
    "Exit status 88 of PROGRAM asks for a start at once. The keeper's own: 1 it could not begin,\n"
    "2 wrong usage, 126 or 127 PROGRAM cannot be started, 128 + n a signal n ended PROGRAM for "
    "good.\n";

namespace {

constexpr double watchdog_seconds_max = 86400;

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

void set_watchdog(std::string_view value, Options& options) {
    const auto seconds = read_number<double>(value);
    const bool is_off = seconds && *seconds == 0;
    if (!seconds || (!is_off && !(*seconds >= 0.001 && *seconds <= watchdog_seconds_max))) {
        options.error =
            "--watchdog wants seconds, 0.001 to 86400, or 0, not \"" + printable(value) + "\"";
        return;
    }
    options.watchdog = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::duration<double>{*seconds});
}

void set_burst(std::string_view value, Options& options) {
    const auto count = read_number<unsigned>(value);
    if (!count || *count > 1000) {
        options.error = "--burst wants a count, 0 to 1000, not \"" + printable(value) + "\"";
        return;
    }
    options.burst = *count;
}

// One option, which `argv` points to; returns the last word of it.
char** read_option(char** argv, Options& options) {
    const std::string_view word{*argv};
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (word == "-h" || word == "--help") {
        options.help = true;
    } else if (word == "--version") {
        options.version = true;
    } else if (name == "--watchdog" || name == "--burst") {
        if (equals == std::string_view::npos && *++argv == nullptr) {
            options.error = std::string{name} + " wants a value";
            return argv - 1;
        }
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view{*argv} : word.substr(equals + 1);
        (name == "--burst" ? set_burst : set_watchdog)(value, options);
    } else {
        options.error = "there is no option \"" + printable(word) + "\"";
    }
    return argv;
}

} // namespace

Options read_options(char** argv) {
    Options options;
    char** word = argv + (*argv != nullptr ? 1 : 0);
    for (; *word != nullptr && **word == '-' && options.error.empty(); ++word) {
        if (std::string_view{*word} == "--") {
            ++word;
            break;
        }
        word = read_option(word, options);
    }
    options.command = word;
    if (options.error.empty() && !options.help && !options.version && *word == nullptr) {
        options.error = "no program is given";
    }
    return options;
}

} // namespace revenant::keeper
