#include "keeper/say.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace revenant::keeper {

namespace {

bool knows_sequences() {
    const char* const terminal = ::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr &&
           std::string_view{terminal} != "dumb";
}

void write_now(std::string_view text) {
    pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0) {
        // A failure could only be told on stderr.
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    }
}

} // namespace

void say(const std::string& line) {
    // In place of a line that the phone had not ended, its prompt for one.
    const std::string begin = knows_sequences() ? "\r\x1b[K" : "";
    write_now(begin + "revenant-keeper: " + line + "\n");
}

void end_bracketed_paste() {
    if (knows_sequences()) {
        write_now("\x1b[?2004l");
    }
}

void give_up(const std::string& line) {
    say(line);
    ::_exit(1);
}

std::string printable(std::string_view text) {
    std::string result{text};
    std::ranges::replace_if(
        result, [](char c) { return c < ' ' || c > '~'; }, '?');
    return result;
}

std::string signal_name(int signal) {
    const char* const name = ::sigabbrev_np(signal);
    return name != nullptr ? std::string{"SIG"} + name : "signal " + std::to_string(signal);
}

std::string error_text(int error) {
    const char* const text = ::strerrordesc_np(error);
    return text != nullptr ? text : "error " + std::to_string(error);
}

} // namespace revenant::keeper
