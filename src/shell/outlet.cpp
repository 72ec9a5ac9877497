#include "shell/outlet.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "revenant/base/clock.hpp"

namespace revenant::shell {

namespace {

std::size_t lines(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n')) +
           (text.ends_with('\n') ? 0 : 1);
}

// 1: writable, or in a state in which a write says what is wrong.
bool writable(int fd, int wait_ms) {
    pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&entry, 1, wait_ms) > 0;
}

} // namespace

Outlet::Outlet(int fd) : fd_{fd} {
    struct stat about {};

    if (::fstat(fd, &about) != 0) {
        closed_ = true;
        return;
    }
    if (S_ISSOCK(about.st_mode)) {
        kind_ = Kind::socket;
    } else if (S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode)) {
        const std::string path = "/proc/self/fd/" + std::to_string(fd);
        own_.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
        kind_ = own_ ? Kind::own : Kind::plain;
    }
}

std::size_t Outlet::write_some(std::string_view text) {
    std::size_t done = 0;
    while (done < text.size()) {
        // Kind::plain: a file never waits; a pipe that poll calls writable takes PIPE_BUF bytes.
        if (kind_ == Kind::plain && !writable(fd_, 0)) {
            break;
        }
        const std::size_t wanted = kind_ == Kind::plain
                                       ? std::min<std::size_t>(text.size() - done, PIPE_BUF)
                                       : text.size() - done;
        const char* from = text.data() + done;
        const ssize_t written = kind_ == Kind::socket
                                    ? ::send(fd_, from, wanted, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : ::write(own_ ? own_.get() : fd_, from, wanted);
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (written < 0 && errno == EINTR) {
            continue;
        } else if (written < 0 && errno == EAGAIN) {
            break;
        } else if (written < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
            dropped_ += lines(text.substr(done));
            return text.size(); // this text is lost, a later one may find room
        } else {
            closed_ = true;
            return text.size();
        }
    }
    return done;
}

bool Outlet::write(std::string_view text) {
    if (closed_) {
        return false;
    }
    if (pending() && pending_.size() + text.size() > pending_max) {
        dropped_ += lines(text);
        return false;
    }
    const std::size_t done = pending() ? 0 : write_some(text);
    pending_.append(text.substr(done));
    return !closed_;
}

bool Outlet::flush() {
    if (pending()) {
        pending_.erase(0, write_some(pending_));
    }
    if (closed_) {
        pending_.clear();
    }
    return pending_.empty();
}

bool Outlet::drain(std::uint32_t wait_ms) {
    const std::int64_t deadline_ms = base::read_clock().boot_ms() + wait_ms;
    while (!flush()) {
        const std::int64_t left_ms = deadline_ms - base::read_clock().boot_ms();
        if (left_ms <= 0) {
            return false;
        }
        writable(fd_, static_cast<int>(left_ms));
    }
    return true;
}

bool Outlet::ready() const {
    return closed_ || writable(fd_, 0);
}

std::size_t Outlet::take_dropped() {
    return std::exchange(dropped_, 0);
}

} // namespace revenant::shell
