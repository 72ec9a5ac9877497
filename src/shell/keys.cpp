#include "shell/keys.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <readline/readline.h>

#include "revenant/base/fd.hpp"

namespace revenant::shell {

namespace {

// How long a paste, or a character of several bytes, may pause before it counts as finished.
constexpr int pause_max_ms = 200;
constexpr std::string_view paste_end = "\033[201~";
constexpr int set_mark = 0; // Ctrl-@, which nobody sees

struct Keys {
    base::Fd own; // an open file description of our own: only we are non-blocking on it
    std::optional<int> ahead;
    std::size_t ending = paste_end.size(); // how much of `paste_end` has been made up
};

Keys& keys() {
    static Keys instance;
    return instance;
}

bool is_readable(int fd, int wait_ms) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    int found = -1;
    do {
        found = ::poll(&entry, 1, wait_ms); // a signal (a phone gets some) is no input
    } while (found < 0 && errno == EINTR);
    return found != 0;
}

// Nothing if nothing comes within `wait_ms`. One byte at a time: the rest is for who reads next.
std::optional<int> read_one(int wait_ms) {
    const int fd = keys().own ? keys().own.get() : STDIN_FILENO;
    if (!is_readable(fd, wait_ms)) {
        return std::nullopt;
    }
    unsigned char byte = 0;
    ssize_t got = -1;
    do {
        got = ::read(fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1) {
        return byte;
    }
    return got < 0 && errno == EAGAIN ? std::nullopt : std::optional{EOF};
}

} // namespace

void open_keys() {
    keys() = {};
    keys().own.reset(::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

void close_keys() {
    keys() = {};
}

bool key_is_there() {
    if (!keys().ahead) {
        keys().ahead = read_one(0);
    }
    return keys().ahead.has_value();
}

// readline asks for more than the key that was there only within a paste, a character or a sequence
// of keys. What stops in the middle must not stop the phone: after a pause we end it.
int take_key(FILE* /*in*/) {
    Keys& k = keys();
    if (k.ending < paste_end.size()) {
        return static_cast<unsigned char>(paste_end[k.ending++]);
    }
    if (const std::optional<int> ahead = std::exchange(k.ahead, std::nullopt)) {
        return *ahead;
    }
    if (const std::optional<int> key = read_one(pause_max_ms)) {
        return *key;
    }
    if (RL_ISSTATE(RL_STATE_MOREINPUT)) {
        k.ending = 1;
        return static_cast<unsigned char>(paste_end[0]);
    }
    return set_mark;
}

} // namespace revenant::shell
