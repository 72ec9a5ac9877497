// The address of an IPv4 or IPv6 socket, as a value; and room for the kernel to write one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace revenant::base {

class SocketAddress {
public:
    // Room for any address.
    SocketAddress() = default;
    // What is too long to be an address is cut off.
    SocketAddress(const sockaddr* address, socklen_t size);

    // `host` must be numeric; "0.0.0.0" and "::" are.
    [[nodiscard]] static std::optional<SocketAddress> numeric(const std::string& host,
                                                              std::uint16_t port);
    // Port 0.
    [[nodiscard]] static SocketAddress loopback(int family);
    // What the kernel says of a socket; none where it says nothing, or is not connected.
    [[nodiscard]] static std::optional<SocketAddress> of(int fd);
    [[nodiscard]] static std::optional<SocketAddress> of_peer(int fd);

    [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage_); }

    [[nodiscard]] const sockaddr* data() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }

    // Before the kernel has written into it: the room that there is.
    [[nodiscard]] socklen_t& size() { return size_; }

    [[nodiscard]] socklen_t size() const { return size_; }

    // AF_INET, AF_INET6; AF_UNSPEC or another's where there is no such address.
    [[nodiscard]] int family() const { return storage_.ss_family; }

    // 0 for other families.
    [[nodiscard]] std::uint16_t port() const;
    // Without brackets; empty for other families.
    [[nodiscard]] std::string host() const;
    // "0.0.0.0" or "::".
    [[nodiscard]] bool is_any() const;

    [[nodiscard]] bool same_host(const SocketAddress& other) const;
    // Of hosts and ports; addresses of other families are never equal.
    [[nodiscard]] bool operator==(const SocketAddress& other) const;

private:
    sockaddr_storage storage_{};
    socklen_t size_ = sizeof(sockaddr_storage);
};

} // namespace revenant::base
