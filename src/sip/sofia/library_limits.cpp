#include "sip/sofia/library_limits.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <tuple>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <sofia-sip/tport.h>

#include "revenant/base/boot_clock.hpp"
#include "revenant/base/boundary.hpp"
#include "revenant/base/log.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

// Read from a stream at a time. The library keeps what it has read with each message in it, and
// handles all of them before it looks at another socket.
constexpr int stream_chunk = 2048;
// Who has more to ask has this long to read the answers to what it has asked.
constexpr std::chrono::seconds patience{1};

using Clock = base::BootClock;

struct Accepted {
    int fd = -1;
    bool is_answered = false;
    std::uint64_t last_heard = 0; // counts what has been heard of all
    Clock::time_point stuck_since = {};
};

// Told to end, and not closed by the library yet.
struct Ending {
    int fd = -1;
    Clock::time_point since;
};

struct Table {
    std::vector<Accepted> all;
    std::vector<Ending> ending;
    std::uint64_t heard = 0;
};

Table& table() {
    // Never destroyed: `close` is called to the very end.
    static Table& one = *new Table;
    return one;
}

Accepted* find(int fd) {
    const auto found = std::ranges::find(table().all, fd, &Accepted::fd);
    return found != table().all.end() ? &*found : nullptr;
}

bool is_stream(int fd) {
    int kind = 0;
    socklen_t length = sizeof kind;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 && kind == SOCK_STREAM;
}

// False when our answers are not read: the kernel takes no more of them.
bool takes_answers(int fd) {
    pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, 0) > 0;
}

// False with errno: EAGAIN, or ECONNRESET for who has been waited for long enough.
bool may_ask_on(int fd) {
    Accepted* one = find(fd);
    if (one == nullptr) {
        return true; // opened by us
    }
    one->last_heard = ++table().heard;
    const bool was_stuck = one->stuck_since != Clock::time_point{};
    if (takes_answers(fd)) {
        one->stuck_since = {};
        return true;
    }
    const Clock::time_point now = Clock::now();
    one->stuck_since = was_stuck ? one->stuck_since : now;
    const bool is_over = now - one->stuck_since > patience;
    if (is_over) {
        base::log(base::Level::info,
                  "a TCP connection is closed: the other end asks on and reads no answers");
    }
    errno = is_over ? ECONNRESET : EAGAIN;
    return false;
}

// The library sees its end, says what it still has to say, if the other end reads it, and closes
// it.
void end(const Accepted& one) {
    base::log(base::Level::info, "too many TCP connections: one that was silent is closed");
    table().ending.push_back({.fd = one.fd, .since = Clock::now()});
    static_cast<void>(::shutdown(one.fd, takes_answers(one.fd) ? SHUT_RD : SHUT_RDWR));
}

} // namespace

unsigned message_size_max() {
    return 64 * 1024;
}

bool accepted_connections::may_accept() {
    const Clock::time_point now = Clock::now();
    std::erase_if(table().ending, [&](const Ending& one) { return now - one.since > patience; });
    return table().ending.empty();
}

void accepted_connections::accepted(int fd) {
    const int size = unread_answers_max / 2; // the kernel doubles it, socket(7)
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    auto& all = table().all;
    if (all.size() >= accepted_max) {
        const auto first = std::ranges::min_element(all, {}, [](const Accepted& one) {
            return std::tuple{one.is_answered, one.last_heard};
        });
        end(*first);
        all.erase(first);
    }
    all.push_back({.fd = fd, .is_answered = false, .last_heard = ++table().heard});
}

void accepted_connections::said_something(int fd) {
    if (Accepted* one = find(fd)) {
        one->is_answered = true;
    }
}

void accepted_connections::closed(int fd) {
    std::erase_if(table().all, [fd](const Accepted& one) { return one.fd == fd; });
    std::erase_if(table().ending, [fd](const Ending& one) { return one.fd == fd; });
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

// What follows a message in a stream is a message without a bound on its size.
msg_t* bounded_next(msg_t* message) {
    msg_t* next = hooks.msg_next.own()(message);
    if (next != nullptr) {
        msg_maxsize(next, message_size_max());
    }
    return next;
}

// Called where a stream holds what is no message: nothing that follows could be told apart. The
// library only stops reading, and never hears that the other end has closed it.
int close_stalled(tport_t* transport) {
    return tport_shutdown(transport, 2);
}

// How much can be read; asked before each read.
issize_t readable_size(su_socket_t fd) {
    const issize_t size = hooks.su_getmsgsize.own()(fd);
    if (size <= 0 || !is_stream(fd)) {
        return size;
    }
    if (!may_ask_on(fd)) {
        return -1;
    }
    return std::min(size, issize_t{stream_chunk});
}

const Standing next_messages{hooks.msg_next, bounded_next};
const Standing stalled{hooks.tport_stall, close_stalled};
const Standing sizes{hooks.su_getmsgsize, readable_size};

} // namespace

} // namespace revenant::sip
