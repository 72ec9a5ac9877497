// What is reached in place of libc's functions, and of one of GLib's: by every thread, and by every
// library of the process.
#include <cstddef>
#include <ctime>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/interpose/stack_hooks.hpp"

// libc declares these with attributes of its own; the names and the C linkage are what counts.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its parameters are reserved
// names
extern "C" {

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
    return revenant::sip::hooks.bind(fd, address, length);
}

int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
    return revenant::sip::hooks.getsockname(fd, address, length);
}

ssize_t sendto(
    int fd, const void* data, std::size_t size, int flags, const sockaddr* to, socklen_t length) {
    return revenant::sip::hooks.sendto(fd, data, size, flags, to, length);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    return revenant::sip::hooks.sendmsg(fd, message, flags);
}

int listen(int fd, int backlog) noexcept {
    return revenant::sip::hooks.listen(fd, backlog);
}

int accept(int fd, sockaddr* address, socklen_t* length) {
    return revenant::sip::hooks.accept(fd, address, length);
}

int shutdown(int fd, int how) noexcept {
    return revenant::sip::hooks.shutdown(fd, how);
}

int close(int fd) {
    return revenant::sip::hooks.close(fd);
}

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    return revenant::sip::hooks.getaddrinfo(node, service, hints, result);
}

std::time_t time(std::time_t* now) noexcept {
    return revenant::sip::hooks.time(now);
}

// A GTimeVal, which GLib no longer lets anybody name, is a timeval.
void g_source_get_current_time(_GSource* source, timeval* now) {
    revenant::sip::hooks.g_source_get_current_time(source, now);
}

} // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
