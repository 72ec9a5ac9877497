#include "revenant/base/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace revenant::base {

namespace {

const sockaddr_in& v4(const SocketAddress& address) {
    return *reinterpret_cast<const sockaddr_in*>(address.data());
}

const sockaddr_in6& v6(const SocketAddress& address) {
    return *reinterpret_cast<const sockaddr_in6*>(address.data());
}

} // namespace

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size)
    : size_{std::min<socklen_t>(size, sizeof storage_)} {
    std::memcpy(&storage_, address, size_);
}

std::optional<SocketAddress> SocketAddress::numeric(const std::string& host, std::uint16_t port) {
    sockaddr_in in{};
    sockaddr_in6 in6{};
    if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        return SocketAddress{reinterpret_cast<const sockaddr*>(&in), sizeof in};
    }
    if (::inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) == 1) {
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(port);
        return SocketAddress{reinterpret_cast<const sockaddr*>(&in6), sizeof in6};
    }
    return std::nullopt;
}

SocketAddress SocketAddress::loopback(int family) {
    return numeric(family == AF_INET6 ? "::1" : "127.0.0.1", 0).value();
}

std::optional<SocketAddress> SocketAddress::of(int fd) {
    SocketAddress address;
    const bool known = ::getsockname(fd, address.data(), &address.size()) == 0;
    return known ? std::optional{address} : std::nullopt;
}

std::optional<SocketAddress> SocketAddress::of_peer(int fd) {
    SocketAddress address;
    const bool known = ::getpeername(fd, address.data(), &address.size()) == 0;
    return known ? std::optional{address} : std::nullopt;
}

std::uint16_t SocketAddress::port() const {
    switch (family()) {
    case AF_INET: return ntohs(v4(*this).sin_port);
    case AF_INET6: return ntohs(v6(*this).sin6_port);
    default: return 0;
    }
}

std::string SocketAddress::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* raw = nullptr;
    switch (family()) {
    case AF_INET: raw = &v4(*this).sin_addr; break;
    case AF_INET6: raw = &v6(*this).sin6_addr; break;
    default: return {};
    }
    return ::inet_ntop(family(), raw, text.data(), text.size());
}

bool SocketAddress::is_any() const {
    switch (family()) {
    case AF_INET: return v4(*this).sin_addr.s_addr == htonl(INADDR_ANY);
    case AF_INET6: return IN6_IS_ADDR_UNSPECIFIED(&v6(*this).sin6_addr);
    default: return false;
    }
}

bool SocketAddress::same_host(const SocketAddress& other) const {
    if (family() != other.family()) {
        return false;
    }
    switch (family()) {
    case AF_INET: return v4(*this).sin_addr.s_addr == v4(other).sin_addr.s_addr;
    case AF_INET6: return IN6_ARE_ADDR_EQUAL(&v6(*this).sin6_addr, &v6(other).sin6_addr);
    default: return false;
    }
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return same_host(other) && port() == other.port();
}

} // namespace revenant::base
