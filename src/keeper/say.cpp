#include "keeper/say.hpp"

#include <algorithm>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace revenant::keeper {

void say(const std::string& line) {
    const std::string text = "revenant-keeper: " + line + "\n";
    pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0) {
        // A failure could only be told on stderr.
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
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
