#include "sip/held_sockets.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/held_connections.hpp"
#include "sip/outgoing_watch.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t places_max = 32;

struct Offer {
    base::Fd socket;
    int kind = 0; // SOCK_DGRAM or SOCK_STREAM
    sockaddr_storage address{};
    socklen_t length = 0;
    bool is_new = false; // bound by us, for the stack
};

// A socket of the stack's that stands for a held one. The media thread comes through `sendto` and
// `sendmsg` too and looks at `fd` only; everything else is the main thread's.
struct Place {
    std::atomic<int> fd{-1};
    Offer held;
};

struct Bound {
    int fd = -1;
    sockaddr_storage address{};
};

struct Table {
    std::vector<Offer> offers;
    std::array<Place, places_max> places;
    std::atomic<int> waiting{0};
    std::array<std::uint16_t, 2> stand_in_ports{}; // IPv4, IPv6
    int watches = 0;
    bool delays = false;
    std::vector<Bound> bound;
};

Table& table() {
    static Table one;
    return one;
}

// libc's own function of that name.
template <typename Function>
Function* next(const char* name) {
    void* symbol = ::dlsym(RTLD_NEXT, name);
    Function* function = nullptr;
    static_assert(sizeof function == sizeof symbol);
    std::memcpy(&function, &symbol, sizeof function);
    return function;
}

Place* place_of(int fd) {
    if (table().waiting.load(std::memory_order_acquire) == 0) {
        return nullptr;
    }
    const auto fits = [fd](const Place& place) {
        return place.fd.load(std::memory_order_relaxed) == fd;
    };
    auto& places = table().places;
    const auto found = std::ranges::find_if(places, fits);
    return found != places.end() ? &*found : nullptr;
}

std::uint16_t port_of(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
    }
    return address->sa_family == AF_INET6
               ? ntohs(reinterpret_cast<const sockaddr_in6*>(address)->sin6_port)
               : std::uint16_t{0};
}

bool same(const sockaddr* wanted, const sockaddr_storage& held) {
    if (wanted->sa_family != held.ss_family ||
        port_of(wanted) != port_of(reinterpret_cast<const sockaddr*>(&held))) {
        return false;
    }
    if (wanted->sa_family == AF_INET) {
        return reinterpret_cast<const sockaddr_in*>(wanted)->sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in*>(&held)->sin_addr.s_addr;
    }
    return std::memcmp(&reinterpret_cast<const sockaddr_in6*>(wanted)->sin6_addr,
                       &reinterpret_cast<const sockaddr_in6*>(&held)->sin6_addr,
                       sizeof(in6_addr)) == 0;
}

int kind_of(int fd) {
    int kind = 0;
    socklen_t length = sizeof kind;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 ? kind : 0;
}

bool is_for_stand_in(const sockaddr* to) {
    const auto& ports = table().stand_in_ports;
    return std::ranges::find(ports, port_of(to)) != ports.end();
}

std::size_t size_of(const msghdr& message) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        size += message.msg_iov[i].iov_len;
    }
    return size;
}

bool is_sip_to_a_peer(int fd, const sockaddr* to) {
    int family = 0;
    socklen_t length = sizeof family;
    const bool is_internet =
        ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 && family != AF_UNIX;
    return is_internet && (to == nullptr || !is_for_stand_in(to));
}

// The loopback address of a family, any port.
socklen_t throw_away(int family, sockaddr_storage& address) {
    address = {};
    if (family == AF_INET6) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
        v6->sin6_family = AF_INET6;
        v6->sin6_addr = in6addr_loopback;
        return sizeof *v6;
    }
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof *v4;
}

bool is_offered(int kind, const sockaddr* wanted) {
    return std::ranges::any_of(table().offers, [&](const Offer& offer) {
        return offer.kind == kind && same(wanted, offer.address);
    });
}

// The held socket for what `fd` is about to be bound to, now in a place of its own.
bool take_place(int fd, int kind, const sockaddr* wanted) {
    Table& t = table();
    const auto fits = [&](const Offer& offer) {
        return offer.kind == kind && same(wanted, offer.address);
    };
    const auto offer = std::ranges::find_if(t.offers, fits);
    const auto place = std::ranges::find_if(
        t.places, [](const Place& p) { return p.fd.load(std::memory_order_relaxed) < 0; });
    if (offer == t.offers.end() || place == t.places.end()) {
        return false;
    }
    place->held = std::move(*offer);
    t.offers.erase(offer);
    place->fd.store(fd, std::memory_order_relaxed);
    t.waiting.fetch_add(1, std::memory_order_release);
    return true;
}

// A socket bound where the stack wants one, as if it had been held. The stack tries again without
// us when it cannot be bound.
void offer_new(const sockaddr* wanted, socklen_t length) {
    static auto* const real = next<int(int, const sockaddr*, socklen_t)>("bind");
    base::Fd socket{::socket(wanted->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket || length > sizeof(sockaddr_storage) || real(socket.get(), wanted, length) != 0) {
        return;
    }
    Offer offer;
    offer.kind = SOCK_DGRAM;
    offer.is_new = true;
    std::memcpy(&offer.address, wanted, length);
    offer.length = length;
    offer.socket = std::move(socket);
    table().offers.push_back(std::move(offer));
}

// What the stack has set on the socket that the new one replaces.
void copy_options(int from, int to) {
    constexpr std::array<std::array<int, 2>, 6> options{{{IPPROTO_IP, IP_RECVERR},
                                                         {IPPROTO_IP, IP_MTU_DISCOVER},
                                                         {IPPROTO_IP, IP_TOS},
                                                         {IPPROTO_IPV6, IPV6_RECVERR},
                                                         {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
                                                         {SOL_SOCKET, SO_RCVBUF}}};
    for (const auto& [level, option] : options) {
        int value = 0;
        socklen_t length = sizeof value;
        if (::getsockopt(from, level, option, &value, &length) == 0) {
            value = option == SO_RCVBUF && level == SOL_SOCKET ? value / 2 : value; // socket(7)
            static_cast<void>(::setsockopt(to, level, option, &value, sizeof value));
        }
    }
}

// Where to send what is for a held socket, from this machine.
call::Endpoint endpoint_of(const Offer& offer) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr*>(&offer.address);
    const bool v6 = address->sa_family == AF_INET6;
    const void* raw = v6 ? static_cast<const void*>(
                               &reinterpret_cast<const sockaddr_in6*>(&offer.address)->sin6_addr)
                         : static_cast<const void*>(
                               &reinterpret_cast<const sockaddr_in*>(&offer.address)->sin_addr);
    std::string name = ::inet_ntop(address->sa_family, raw, text.data(), text.size()) != nullptr
                           ? text.data()
                           : "";
    if (name == "0.0.0.0" || name == "::") {
        name = v6 ? "::1" : "127.0.0.1";
    }
    return {.address = name, .port = port_of(address)};
}

// The loopback endpoint that the stack reads in place of the socket it wanted.
call::Endpoint instead_of(const Place& place) {
    static auto* const real = next<int(int, sockaddr*, socklen_t*)>("getsockname");
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    auto* address = reinterpret_cast<sockaddr*>(&own);
    if (real(place.fd.load(std::memory_order_relaxed), address, &length) != 0) {
        return {};
    }
    return {.address = address->sa_family == AF_INET6 ? "::1" : "127.0.0.1",
            .port = port_of(address)};
}

} // namespace

void HeldSockets::delay_reading() {
    table().delays = true;
}

std::vector<EarlyReader::Socket> HeldSockets::unread() {
    std::vector<EarlyReader::Socket> sockets;
    for (const Place& place : table().places) {
        if (place.fd.load(std::memory_order_relaxed) >= 0 && place.held.kind == SOCK_DGRAM) {
            sockets.push_back({.fd = place.held.socket.get(),
                               .into = instead_of(place),
                               .then = endpoint_of(place.held)});
        }
    }
    return sockets;
}

void HeldSockets::offer(std::vector<base::Fd> sockets) {
    for (base::Fd& socket : sockets) {
        Offer offer;
        offer.length = sizeof offer.address;
        offer.kind = kind_of(socket.get());
        const bool named = ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&offer.address),
                                         &offer.length) == 0;
        offer.socket = std::move(socket);
        if (named && table().offers.size() < places_max) {
            table().offers.push_back(std::move(offer));
        }
    }
}

void HeldSockets::allow(std::uint16_t stand_in_port) {
    auto& ports = table().stand_in_ports;
    ports[ports[0] == 0 ? 0 : 1] = stand_in_port;
}

HeldSockets::Watch::Watch() {
    ++table().watches;
}

HeldSockets::Watch::~Watch() {
    --table().watches;
}

std::vector<int> HeldSockets::bound() {
    static auto* const real = next<int(int, sockaddr*, socklen_t*)>("getsockname");
    std::vector<int> sockets;
    for (const Bound& one : table().bound) {
        // The stack has closed some again, and their numbers may be others' by now.
        sockaddr_storage now{};
        socklen_t length = sizeof now;
        auto* address = reinterpret_cast<sockaddr*>(&now);
        if (real(one.fd, address, &length) == 0 && same(address, one.address)) {
            sockets.push_back(one.fd);
        }
    }
    for (const Place& place : table().places) {
        if (place.fd.load(std::memory_order_relaxed) >= 0 && place.held.is_new) {
            sockets.push_back(place.held.socket.get());
        }
    }
    return sockets;
}

call::Endpoint HeldSockets::reads_at(const call::Endpoint& wanted) {
    const bool v6 = wanted.address.find(':') != std::string::npos;
    for (const Place& place : table().places) {
        const int fd = place.fd.load(std::memory_order_relaxed);
        const auto* held = reinterpret_cast<const sockaddr*>(&place.held.address);
        if (fd < 0 || place.held.kind != SOCK_DGRAM || port_of(held) != wanted.port ||
            (held->sa_family == AF_INET6) != v6) {
            continue;
        }
        return instead_of(place);
    }
    if (wanted.address == "0.0.0.0" || wanted.address == "::") {
        return {.address = v6 ? "::1" : "127.0.0.1", .port = wanted.port};
    }
    return wanted;
}

bool HeldSockets::waiting() {
    return std::ranges::any_of(table().places, [](const Place& place) {
        return place.fd.load(std::memory_order_relaxed) >= 0 && !place.held.is_new;
    });
}

base::Status HeldSockets::adopt() {
    Table& t = table();
    t.offers.clear();
    for (Place& place : t.places) {
        const int fd = place.fd.load(std::memory_order_relaxed);
        if (fd < 0) {
            continue;
        }
        const int flags = ::fcntl(fd, F_GETFL);
        if (place.held.is_new) {
            copy_options(fd, place.held.socket.get());
            t.bound.push_back({.fd = fd, .address = place.held.address});
        }
        if (::dup3(place.held.socket.get(), fd, O_CLOEXEC) < 0 ||
            ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
            return base::fail(base::Errc::io,
                              fmt::format("cannot take over a SIP socket of the earlier run: {}",
                                          std::strerror(errno)));
        }
        place.held.socket.reset();
        place.fd.store(-1, std::memory_order_relaxed);
        t.waiting.fetch_sub(1, std::memory_order_release);
    }
    return {};
}

} // namespace revenant::sip

// ---- What the stack reaches in place of libc's functions ------------------------------------

// libc declares these with attributes of its own; the names and the C linkage are what counts.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its parameters are reserved
// names
extern "C" {

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
    using namespace revenant::sip;
    static auto* const real = next<int(int, const sockaddr*, socklen_t)>("bind");
    if (table().watches == 0 || (address->sa_family != AF_INET && address->sa_family != AF_INET6)) {
        return real(fd, address, length);
    }
    const int kind = kind_of(fd);
    if (table().delays && kind == SOCK_DGRAM && port_of(address) != 0 &&
        !is_offered(kind, address)) {
        offer_new(address, length);
    }
    if (take_place(fd, kind, address)) {
        sockaddr_storage loopback{};
        const socklen_t size = throw_away(address->sa_family, loopback);
        return real(fd, reinterpret_cast<const sockaddr*>(&loopback), size);
    }
    const int result = real(fd, address, length);
    if (result == 0) {
        static auto* const real_name = next<int(int, sockaddr*, socklen_t*)>("getsockname");
        Bound& bound = table().bound.emplace_back(Bound{.fd = fd});
        socklen_t size = sizeof bound.address;
        static_cast<void>(real_name(fd, reinterpret_cast<sockaddr*>(&bound.address), &size));
    }
    return result;
}

int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
    using namespace revenant::sip;
    static auto* const real = next<int(int, sockaddr*, socklen_t*)>("getsockname");
    const Place* place = place_of(fd);
    return real(place != nullptr ? place->held.socket.get() : fd, address, length);
}

// The stack sends itself a test datagram when it has bound a UDP socket; under its wanted address
// it would land in the held socket.
ssize_t sendto(
    int fd, const void* data, std::size_t size, int flags, const sockaddr* to, socklen_t length) {
    using namespace revenant::sip;
    static auto* const real =
        next<ssize_t(int, const void*, std::size_t, int, const sockaddr*, socklen_t)>("sendto");
    if (place_of(fd) == nullptr) {
        return real(fd, data, size, flags, to, length);
    }
    static auto* const real_name = next<int(int, sockaddr*, socklen_t*)>("getsockname");
    sockaddr_storage own{};
    socklen_t own_length = sizeof own;
    auto* own_address = reinterpret_cast<sockaddr*>(&own);
    if (real_name(fd, own_address, &own_length) != 0) {
        return -1;
    }
    return real(fd, data, size, flags, own_address, own_length);
}

// What is for a peer goes out through the held socket: it would else leave from a port that the
// peer does not know.
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    using namespace revenant::sip;
    static auto* const real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
    const auto* to = static_cast<const sockaddr*>(message->msg_name);
    if (OutgoingWatch::stops(fd, *message)) {
        return static_cast<ssize_t>(size_of(*message));
    }
    const Place* place = to != nullptr ? place_of(fd) : nullptr;
    const bool is_held = place != nullptr && !is_for_stand_in(to);
    if (to == nullptr) {
        HeldConnections::before_send(fd);
    }
    const ssize_t sent = real(is_held ? place->held.socket.get() : fd, message, flags);
    if (to == nullptr) {
        HeldConnections::after_send(fd, sent, size_of(*message));
    }
    if (revenant::base::has_kill_points && is_sip_to_a_peer(fd, to)) {
        revenant::base::pass(revenant::base::KillPoint::after_send);
    }
    return sent;
}

} // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
