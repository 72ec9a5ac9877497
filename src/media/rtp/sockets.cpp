#include "media/rtp/sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/ip.h>

#include <fmt/format.h>

#include "revenant/base/text.hpp"

namespace revenant::media {

using base::Errc;

namespace {

std::string reason(int error) {
    return std::strerror(error);
} // NOLINT(concurrency-mt-unsafe)

void set_int(int socket, int level, int name, int value) {
    // All of these only improve things; a kernel without one of them serves as well.
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

void prepare(const SocketPair& sockets, sa_family_t family) {
    set_int(sockets.rtp.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
    set_int(sockets.rtcp.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (family == AF_INET) {
        set_int(sockets.rtp.get(), IPPROTO_IP, IP_TOS, IPTOS_DSCP_EF);
    } else {
        set_int(sockets.rtp.get(), IPPROTO_IPV6, IPV6_TCLASS, IPTOS_DSCP_EF);
    }
}

base::Result<base::Fd> bind_one(Address address, std::uint16_t port) {
    address.set_port(port);
    base::Fd socket{
        ::socket(address.data()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        return base::fail(Errc::io, fmt::format("cannot make a socket: {}", reason(errno)));
    }
    if (address.data()->sa_family == AF_INET6) {
        set_int(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (::bind(socket.get(), address.data(), address.size()) != 0) {
        const int error = errno;
        return base::fail(error == EADDRINUSE ? Errc::in_use : Errc::io,
                          fmt::format("cannot bind RTP port {}: {}", port, reason(error)));
    }
    return socket;
}

} // namespace

std::optional<Address> Address::parse(const call::Endpoint& endpoint) {
    Address result;
    if (endpoint.address.empty()) {
        return result;
    }
    sockaddr_in in4{};
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &in4.sin_addr) == 1) {
        in4.sin_family = AF_INET;
        std::memcpy(&result.in6_, &in4, sizeof in4);
    } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &result.in6_.sin6_addr) == 1) {
        result.in6_.sin6_family = AF_INET6;
    } else {
        return std::nullopt;
    }
    result.set_port(endpoint.port);
    return result;
}

Address Address::from_kernel(const sockaddr_in6& any_family) {
    Address result;
    result.in6_ = any_family;
    return result;
}

std::array<std::uint8_t, 16> Address::host() const {
    std::array<std::uint8_t, 16> host{};
    if (in6_.sin6_family == AF_INET) {
        host[10] = host[11] = 0xff;
        std::memcpy(&host[12], &in6_.sin6_flowinfo, 4);
    } else {
        std::memcpy(host.data(), &in6_.sin6_addr, host.size());
    }
    return host;
}

Address Address::from_host(const std::array<std::uint8_t, 16>& host, std::uint16_t port) {
    Address result;
    const bool is_v4 = std::all_of(host.begin(), host.begin() + 10,
                                   [](std::uint8_t octet) { return octet == 0; }) &&
                       host[10] == 0xff && host[11] == 0xff;
    result.in6_.sin6_family = is_v4 ? AF_INET : AF_INET6;
    if (is_v4) {
        std::memcpy(&result.in6_.sin6_flowinfo, &host[12], 4);
    } else {
        std::memcpy(&result.in6_.sin6_addr, host.data(), host.size());
    }
    result.set_port(port);
    return result;
}

call::Endpoint Address::endpoint() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (in6_.sin6_family == AF_INET) {
        ::inet_ntop(AF_INET, &in6_.sin6_flowinfo, text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, &in6_.sin6_addr, text.data(), text.size());
    }
    return {.address = text.data(), .port = port()};
}

std::uint16_t Address::port() const {
    return ntohs(in6_.sin6_port);
}

void Address::set_port(std::uint16_t port) {
    in6_.sin6_port = htons(port);
}

bool Address::same_host(const Address& other) const {
    if (in6_.sin6_family != other.in6_.sin6_family) {
        return false;
    }
    if (in6_.sin6_family == AF_INET) {
        return in6_.sin6_flowinfo == other.in6_.sin6_flowinfo;
    }
    return std::memcmp(&in6_.sin6_addr, &other.in6_.sin6_addr, sizeof in6_.sin6_addr) == 0;
}

std::uint64_t Address::hash() const {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto add = [&](const void* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3U;
        }
    };
    add(&in6_.sin6_family, sizeof in6_.sin6_family);
    add(&in6_.sin6_port, sizeof in6_.sin6_port);
    if (in6_.sin6_family == AF_INET) {
        add(&in6_.sin6_flowinfo, sizeof in6_.sin6_flowinfo);
    } else {
        add(&in6_.sin6_addr, sizeof in6_.sin6_addr);
    }
    return hash;
}

const sockaddr* Address::data() const {
    // SAFETY: the socket API's own convention; the object outlives the call that it is for.
    return reinterpret_cast<const sockaddr*>(&in6_);
}

socklen_t Address::size() const {
    return in6_.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

base::Result<SocketPair> bind_pair(const std::string& address, std::uint16_t port) {
    const auto parsed = Address::parse({.address = address, .port = port});
    if (!parsed || !parsed->valid()) {
        return base::fail(Errc::bad_input, fmt::format("\"{}\" is not a numeric address for RTP",
                                                       base::printable(address)));
    }
    if (port % 2 != 0) {
        return base::fail(Errc::bad_input, fmt::format("the RTP port {} is not even", port));
    }
    auto rtp = bind_one(*parsed, port);
    if (!rtp) {
        return base::fail(rtp.error());
    }
    auto rtcp = bind_one(*parsed, static_cast<std::uint16_t>(port + 1));
    if (!rtcp) {
        return base::fail(rtcp.error());
    }
    SocketPair pair{.rtp = std::move(*rtp), .rtcp = std::move(*rtcp), .port = port};
    prepare(pair, parsed->data()->sa_family);
    return pair;
}

base::Result<call::Endpoint> adopt_pair(const SocketPair& sockets) {
    sockaddr_in6 name{};
    socklen_t size = sizeof name;
    // SAFETY: getsockname writes at most `size` octets.
    if (::getsockname(sockets.rtp.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
        (name.sin6_family != AF_INET && name.sin6_family != AF_INET6)) {
        return base::fail(Errc::bad_input, "the RTP socket that was handed over is not one");
    }
    prepare(sockets, name.sin6_family);
    char text[INET6_ADDRSTRLEN] = {};
    const void* const host = name.sin6_family == AF_INET
                                 ? static_cast<const void*>(&name.sin6_flowinfo)
                                 : static_cast<const void*>(&name.sin6_addr);
    if (::inet_ntop(name.sin6_family, host, text, sizeof text) == nullptr) {
        return base::fail(Errc::io,
                          fmt::format("cannot read a socket's address: {}", reason(errno)));
    }
    return call::Endpoint{.address = text, .port = ntohs(name.sin6_port)};
}

void send_datagram(int socket, Bytes datagram, const Address& to) {
    static_cast<void>(::sendto(socket, datagram.data(), datagram.size(),
                               MSG_DONTWAIT | MSG_NOSIGNAL, to.data(), to.size()));
}

// ---- receiving

struct Receiver::Buffers {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> vectors{};
    std::array<sockaddr_in6, batch> names{};
    alignas(cmsghdr) std::array<std::array<char, 64>, batch> controls{};
    std::array<std::array<std::uint8_t, datagram_max>, batch> bytes{};

    void rearm(std::size_t i) {
        // SAFETY: all that the headers point to is in this object, which does not move.
        msghdr& header = messages[i].msg_hdr;
        header.msg_name = &names[i];
        header.msg_namelen = sizeof names[i];
        header.msg_iov = &vectors[i];
        header.msg_iovlen = 1;
        header.msg_control = controls[i].data();
        header.msg_controllen = controls[i].size();
        header.msg_flags = 0;
    }
};

void Receiver::Free::operator()(Buffers* buffers) const {
    delete buffers;
}

Receiver::Receiver() : buffers_{new Buffers} {
    for (std::size_t i = 0; i < batch; ++i) {
        buffers_->vectors[i] = {.iov_base = buffers_->bytes[i].data(), .iov_len = datagram_max};
        buffers_->rearm(i);
    }
}

namespace {

// Older or newer than that: the kernel gave no stamp, or the wall clock has stepped since.
constexpr std::int64_t age_max_ns = 60'000'000'000;

std::int64_t arrival_of(msghdr& header, const base::Now& now) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            timespec time{};
            std::memcpy(&time, CMSG_DATA(control), sizeof time);
            const std::int64_t age_ns =
                now.real_ns - (std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
            return std::abs(age_ns) <= age_max_ns ? now.boot_ns - age_ns : now.boot_ns;
        }
    }
    return now.boot_ns;
}

} // namespace

std::span<const Datagram> Receiver::receive(int socket, const base::Now& now) {
    Buffers& buffers = *buffers_;
    const int got = ::recvmmsg(socket, buffers.messages.data(), batch, MSG_DONTWAIT, nullptr);
    if (got <= 0) {
        return {}; // nothing there, or an ICMP error, which is a later packet's to overcome
    }
    const auto count = static_cast<std::size_t>(got);
    for (std::size_t i = 0; i < count; ++i) {
        msghdr& header = buffers.messages[i].msg_hdr;
        datagrams_[i] = {.bytes = Bytes{buffers.bytes[i]}.first(buffers.messages[i].msg_len),
                         .from = Address::from_kernel(buffers.names[i]),
                         .arrival_boot_ns = arrival_of(header, now),
                         .truncated = (header.msg_flags & MSG_TRUNC) != 0};
        buffers.rearm(i);
    }
    return std::span{datagrams_}.first(count);
}

} // namespace revenant::media
