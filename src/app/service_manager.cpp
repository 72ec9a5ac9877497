#include "app/service_manager.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "revenant/base/fd.hpp"

namespace revenant::app {

namespace {

std::string_view value_of(const char* variable) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? text : "";
}

std::optional<std::uint64_t> number_in(const char* variable) {
    const std::string_view text = value_of(variable);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    return is_whole ? std::optional{number} : std::nullopt;
}

bool is_own_pid(std::optional<std::uint64_t> pid) {
    return pid == static_cast<std::uint64_t>(::getpid());
}

struct ManagerAddress {
    sockaddr_un address{};
    socklen_t size = 0;
};

// A path, or "@" and an abstract name.
std::optional<ManagerAddress> manager_address() {
    const std::string_view name = value_of("NOTIFY_SOCKET");
    ManagerAddress result;
    if (name.size() < 2 || name.size() >= sizeof result.address.sun_path ||
        (name.front() != '@' && name.front() != '/')) {
        return std::nullopt;
    }
    const bool is_path = name.front() == '/';
    result.address.sun_family = AF_UNIX;
    std::ranges::copy(name, std::begin(result.address.sun_path));
    if (!is_path) {
        result.address.sun_path[0] = '\0';
    }
    result.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_path ? 1 : 0));
    return result;
}

} // namespace

std::vector<std::string> handed_names() {
    const auto count = number_in("LISTEN_FDS");
    if (!count || *count > INT_MAX - first_handed_fd || !is_own_pid(number_in("LISTEN_PID"))) {
        return {};
    }
    std::vector<std::string> names;
    std::string_view rest = value_of("LISTEN_FDNAMES");
    for (int fd = first_handed_fd; names.size() < *count && ::fcntl(fd, F_GETFD) >= 0; ++fd) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        names.emplace_back(rest.empty() ? "unknown" : rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

void take_handed() {
    const std::size_t count = handed_names().size();
    for (std::size_t i = 0; i < count; ++i) {
        ::fcntl(first_handed_fd + static_cast<int>(i), F_SETFD, FD_CLOEXEC);
    }
    for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        ::unsetenv(variable);
    }
}

std::uint64_t watchdog_limit_us() {
    const bool is_ours = value_of("WATCHDOG_PID").empty() || is_own_pid(number_in("WATCHDOG_PID"));
    const std::uint64_t limit_us = number_in("WATCHDOG_USEC").value_or(0);
    return is_ours && limit_us != UINT64_MAX ? limit_us : 0;
}

bool tell_manager(std::string_view text, int fd) {
    auto manager = manager_address();
    if (!manager) {
        return false;
    }
    // Not connected: systemd may bind its socket anew.
    static base::Fd socket;
    if (!socket) {
        socket.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }
    iovec part{const_cast<char*>(text.data()), text.size()}; // SAFETY: sendmsg only reads it
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
    msghdr message{};
    message.msg_name = &manager->address;
    message.msg_namelen = manager->size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

base::Fd connect_to_manager() {
    const auto manager = manager_address();
    if (!manager) {
        return {};
    }
    base::Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    // SAFETY: the socket API's own convention.
    const auto* const address = reinterpret_cast<const sockaddr*>(&manager->address);
    return fd && ::connect(fd.get(), address, manager->size) == 0 ? std::move(fd) : base::Fd{};
}

} // namespace revenant::app
