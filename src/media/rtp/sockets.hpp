// UDP for one call: the pair of ports, numeric addresses compared without text, and datagrams
// taken in batches with the time at which the kernel got them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

#include "media/rtp/bytes.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

// An IPv4 or IPv6 address and port, as the kernel takes it.
class Address {
public:
    Address() = default;
    // Nothing if the text is not numeric; port 0 and no text make an Address that is `!valid()`.
    [[nodiscard]] static std::optional<Address> parse(const call::Endpoint& endpoint);
    [[nodiscard]] static Address from_kernel(const sockaddr_in6& any_family);
    // The host as 16 octets, an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2), and back.
    [[nodiscard]] std::array<std::uint8_t, 16> host() const;
    [[nodiscard]] static Address from_host(const std::array<std::uint8_t, 16>& host,
                                           std::uint16_t port);
    [[nodiscard]] call::Endpoint endpoint() const;

    [[nodiscard]] bool valid() const { return in6_.sin6_family != AF_UNSPEC && port() != 0; }

    [[nodiscard]] std::uint16_t port() const;
    void set_port(std::uint16_t port);
    [[nodiscard]] bool same_host(const Address& other) const;

    friend bool operator==(const Address& a, const Address& b) {
        return a.same_host(b) && a.port() == b.port();
    }

    [[nodiscard]] std::uint64_t hash() const; // of host and port

    [[nodiscard]] const sockaddr* data() const;
    [[nodiscard]] socklen_t size() const;

private:
    // The larger of the two; family and port lie at the same place in both, and an IPv4 address
    // where `sin6_flowinfo` is.
    sockaddr_in6 in6_{};
};

struct SocketPair {
    base::Fd rtp;
    base::Fd rtcp;
    std::uint16_t port = 0; // of RTP
};

// Binds `port` (even) and the next. Errc::in_use if one of them is taken.
[[nodiscard]] base::Result<SocketPair> bind_pair(const std::string& address, std::uint16_t port);

// Prepares sockets that another process has bound; says where.
[[nodiscard]] base::Result<call::Endpoint> adopt_pair(const SocketPair& sockets);

// Best effort, as UDP is: a datagram that the kernel does not take is lost like any other.
void send_datagram(int socket, Bytes datagram, const Address& to);

struct Datagram {
    Bytes bytes;
    Address from;
    std::int64_t arrival_boot_ns = 0;
    bool truncated = false;
};

// Buffers for one recvmmsg, shared by all sessions of a thread.
class Receiver {
public:
    static constexpr std::size_t batch = 16;
    static constexpr std::size_t datagram_max = 2048;

    Receiver();
    // What is waiting, up to a batch; valid until the next call. The kernel stamps them
    // with the wall clock; `now` tells the stamps on the boot clock.
    [[nodiscard]] std::span<const Datagram> receive(int socket, const base::Now& now);

private:
    struct Buffers;

    struct Free {
        void operator()(Buffers* buffers) const;
    };

    std::unique_ptr<Buffers, Free> buffers_;
    std::array<Datagram, batch> datagrams_;
};

} // namespace revenant::media
