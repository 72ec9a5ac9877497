#include "keeper/notify_socket.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/say.hpp"

namespace revenant::keeper {

namespace {

constexpr std::size_t passed_max = 253; // the kernel's SCM_MAX_FD

int bind_anywhere(int at_least) {
    const int low = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int fd = ::fcntl(low, F_DUPFD_CLOEXEC, at_least);
    ::close(low);
    const sockaddr_un unnamed{.sun_family = AF_UNIX, .sun_path = {}};
    const int yes = 1;
    // SAFETY: the socket API's own convention. A name of no length asks for one (unix(7),
    // autobind).
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&unnamed), sizeof unnamed.sun_family) != 0) {
        give_up("cannot make a notify socket: " + error_text(errno));
    }
    return fd;
}

std::string address_of(int socket) {
    sockaddr_un name{};
    socklen_t size = sizeof name;
    // SAFETY: the kernel writes at most `size` octets.
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
        size <= offsetof(sockaddr_un, sun_path) + 1) {
        give_up("cannot read the notify socket's address: " + error_text(errno));
    }
    std::string address(name.sun_path, size - offsetof(sockaddr_un, sun_path));
    address.front() = '@'; // stands for the NUL of an abstract address
    return address;
}

void read_credentials(const cmsghdr& control, Datagram& datagram) {
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(&control), sizeof credentials);
    datagram.sender = credentials.pid;
}

void read_passed(const cmsghdr& control, Datagram& datagram) {
    const std::size_t count = (control.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(&control) + i * sizeof fd, sizeof fd);
        datagram.passed.append(fd);
    }
}

} // namespace

void Passed::close_all() {
    for (const int fd : std::exchange(fds_, {})) {
        ::close(fd);
    }
}

std::vector<int> Passed::take() {
    return std::exchange(fds_, {});
}

NotifySocket::NotifySocket(int at_least)
    : fd_{bind_anywhere(at_least)}, address_{address_of(fd_)} {}

bool NotifySocket::receive(Datagram& datagram) {
    alignas(cmsghdr)
        std::array<char, CMSG_SPACE(sizeof(int) * passed_max) + CMSG_SPACE(sizeof(ucred))>
            controls{};
    iovec vector{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = controls.data();
    header.msg_controllen = controls.size();
    // No MSG_CMSG_CLOEXEC: what is stored stays open across exec, the rest is closed before one.
    const ssize_t size = ::recvmsg(fd_, &header, MSG_DONTWAIT);
    if (size < 0) {
        return false;
    }
    datagram.text = {buffer_.data(), static_cast<std::size_t>(size)};
    datagram.truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_CREDENTIALS) {
            read_credentials(*control, datagram);
        } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
            read_passed(*control, datagram);
        }
    }
    return true;
}

} // namespace revenant::keeper
