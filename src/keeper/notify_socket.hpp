// The socket that the phone tells its keeper things on (NOTIFY_SOCKET of sd_notify(3)).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "keeper/message.hpp"

namespace revenant::keeper {

// The descriptors that came with a datagram; closes those that nobody takes.
class Passed {
public:
    Passed() = default;

    ~Passed() { close_all(); }

    Passed(const Passed&) = delete;
    Passed& operator=(const Passed&) = delete;

    void append(int fd) { fds_.push_back(fd); }

    void close_all();

    // The caller owns them from now on.
    [[nodiscard]] std::vector<int> take();

private:
    std::vector<int> fds_;
};

struct Datagram {
    pid_t sender = 0;      // as the kernel vouches for it
    std::string_view text; // valid until the next `receive`
    Passed passed;
    bool truncated = false; // too long, or with descriptors that did not fit
};

class NotifySocket {
public:
    // Binds an abstract address that the kernel chooses: nothing is left behind on any disk.
    // The descriptor is `at_least` or above, and closed on exec. Terminates the process on failure.
    explicit NotifySocket(int at_least);

    [[nodiscard]] int fd() const { return fd_; }

    // "@00a3f": the value of NOTIFY_SOCKET.
    [[nodiscard]] const std::string& address() const { return address_; }

    // Does not wait. False if there is nothing. `datagram` must be a fresh one.
    [[nodiscard]] bool receive(Datagram& datagram);

private:
    int fd_;
    std::string address_;
    std::array<char, message_max> buffer_{};
};

} // namespace revenant::keeper
