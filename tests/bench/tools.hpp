// What the bench programs share: a clock, UDP sockets with the kernel's time of arrival, a child
// that is started and killed by pid, and what /proc tells of a process.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

using Ns = std::int64_t;

constexpr Ns ms = 1'000'000;
constexpr Ns second = 1'000 * ms;

// The clock that the kernel stamps packets with.
inline Ns now() {
    timespec t{};
    ::clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * second + t.tv_nsec;
}

inline double in_ms(Ns time) {
    return static_cast<double>(time) / static_cast<double>(ms);
}

[[noreturn]] inline void give_up(const std::string& why) {
    const int error = errno;
    static_cast<void>(std::fprintf(stderr, "bench: %s (%s)\n", why.c_str(), std::strerror(error)));
    std::exit(1);
}

inline sockaddr_in address_of(const std::string& host, int port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = ::htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, host.c_str(), &result.sin_addr) != 1) {
        give_up("no address: " + host);
    }
    return result;
}

struct Datagram {
    Ns time = 0; // of arrival
    sockaddr_in from{};
    std::string_view data; // good until the next receive
};

// Nothing is lost at our side: the receive buffer holds all that a bench has on the way at once.
class Udp {
public:
    Udp(const std::string& host, int port) {
        fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int on = 1;
        const int size = 64 << 20;
        const sockaddr_in at = address_of(host, port);
        ::setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        if (::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        }
        // SAFETY: a sockaddr_in is read as what it is.
        if (fd_ < 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
            give_up("cannot bind " + host + ":" + std::to_string(port));
        }
    }

    Udp(const Udp&) = delete;
    Udp& operator=(const Udp&) = delete;

    ~Udp() { ::close(fd_); }

    [[nodiscard]] int fd() const { return fd_; }

    std::optional<Datagram> receive() {
        Datagram result;
        iovec part{buffer_.data(), buffer_.size()};
        alignas(cmsghdr) std::array<char, 256> control{};
        msghdr message{};
        message.msg_name = &result.from;
        message.msg_namelen = sizeof result.from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t got = ::recvmsg(fd_, &message, 0);
        if (got < 0) {
            return std::nullopt;
        }
        result.data = {buffer_.data(), static_cast<std::size_t>(got)};
        for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
                timespec t{};
                std::memcpy(&t, CMSG_DATA(c), sizeof t);
                result.time = t.tv_sec * second + t.tv_nsec;
            }
        }
        return result;
    }

    void send(std::string_view data, const sockaddr_in& to) {
        // SAFETY: a sockaddr_in is read as what it is. A full send buffer loses the packet, as UDP
        // may; SIP sends again and RTP goes on.
        static_cast<void>(::sendto(fd_, data.data(), data.size(), 0,
                                   reinterpret_cast<const sockaddr*>(&to), sizeof to));
    }

private:
    int fd_ = -1;
    std::array<char, 65536> buffer_{};
};

// Until one of the sockets can be read or `until` has come. Whether one can be read.
inline bool wait_readable(std::span<const int> fds, Ns until) {
    std::array<pollfd, 8> wanted{};
    for (std::size_t i = 0; i < fds.size(); ++i) {
        wanted.at(i) = {fds[i], POLLIN, 0};
    }
    const Ns left = std::max<Ns>(until - now(), 0);
    const timespec timeout{left / second, left % second};
    return ::ppoll(wanted.data(), fds.size(), &timeout, nullptr) > 0;
}

// The only child of a process, or 0.
inline pid_t child_of(pid_t pid) {
    const std::string number = std::to_string(pid);
    std::ifstream file{"/proc/" + number + "/task/" + number + "/children"};
    pid_t child = 0;
    file >> child;
    return child;
}

// Becomes readable when the process is gone. -1 when it is already.
inline int pid_fd(pid_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// A program that we start, with a pipe as its stdin that is never written to (its prompt sees no
// end of file) and its output in a file or a pipe.
class Child {
public:
    Child(std::vector<std::string> arguments, std::string log)
        : arguments_{std::move(arguments)}, log_{std::move(log)} {}

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    ~Child() { kill(); }

    // A keeper ends first, then what it has kept. Its port is free afterwards.
    void kill_with_child() {
        const pid_t child = pid_ > 0 ? child_of(pid_) : 0;
        const int fd = child > 0 ? pid_fd(child) : -1;
        kill();
        if (fd >= 0) {
            ::kill(child, SIGKILL);
            wait_readable(std::array{fd}, now() + 10 * second);
            ::close(fd);
        }
    }

    // Returns the time just before.
    Ns start(const std::vector<std::string>& extra = {}) {
        std::vector<char*> argv;
        for (std::string& argument : arguments_) {
            argv.push_back(argument.data());
        }
        std::vector<std::string> more = extra;
        for (std::string& argument : more) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        std::array<int, 2> in{};
        if (::pipe2(in.data(), O_CLOEXEC) != 0) {
            give_up("pipe");
        }
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        const Ns begin = now();
        const int failed =
            ::posix_spawn(&pid_, argv.front(), &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        stdin_ = in[1];
        if (failed != 0) {
            errno = failed;
            give_up("cannot start " + arguments_.front());
        }
        return begin;
    }

    // SIGKILL, and gone. Returns the time just before.
    Ns kill() {
        const Ns begin = now();
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
        return begin;
    }

    void wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        ::close(stdin_);
    }

    // Whether it still runs; reaps it when not.
    bool running() {
        int status = 0;
        if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            ::close(stdin_);
        }
        return pid_ > 0;
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::vector<std::string> arguments_;
    std::string log_;
    pid_t pid_ = -1;
    int stdin_ = -1;
};

// ---- Numbers ----

inline void print_numbers(const char* name, const std::vector<double>& values, const char* end) {
    std::printf("\"%s\": [", name);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::printf("%s%.4f", i == 0 ? "" : ", ", values[i]);
    }
    std::printf("]%s", end);
}

// One line of /proc/<pid>/status in kB, or 0.
inline long status_kb(pid_t pid, const std::string& key) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":")) {
            return std::atol(line.c_str() + key.size() + 1);
        }
    }
    return 0;
}

// What a process has open.
struct Descriptors {
    long sockets = 0;
    long others = 0;
};

inline Descriptors descriptors(pid_t pid) {
    Descriptors result;
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/fd", gone}) {
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        ++(target.starts_with("socket:") ? result.sockets : result.others);
    }
    return result;
}

// Kills the child of a keeper and waits until it is gone, which is sooner than the keeper can have
// started the next one. Returns the time just before.
inline Ns kill_child_of(pid_t keeper) {
    const pid_t child = child_of(keeper);
    const int fd = child > 0 ? pid_fd(child) : -1;
    if (fd < 0) {
        give_up("the keeper has no child");
    }
    const Ns begin = now();
    ::kill(child, SIGKILL);
    const std::array fds{fd};
    wait_readable(fds, begin + second);
    ::close(fd);
    return begin;
}

// The words from the one at `from` to "--".
inline std::vector<std::string> before_dashes(int argc, char** argv, int from) {
    std::vector<std::string> result;
    for (int i = from; i < argc && std::string_view{argv[i]} != "--"; ++i) {
        result.emplace_back(argv[i]);
    }
    return result;
}

// What follows "--" on the command line: the program to run and its arguments.
inline std::vector<std::string> after_dashes(int argc, char** argv) {
    std::vector<std::string> result;
    bool found = false;
    for (int i = 1; i < argc; ++i) {
        if (found) {
            result.emplace_back(argv[i]);
        }
        found = found || std::string_view{argv[i]} == "--";
    }
    return result;
}

} // namespace bench
