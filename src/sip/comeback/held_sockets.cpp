#include "sip/comeback/held_sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/comeback/held_connections.hpp"
#include "sip/comeback/stream_order.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/kept_message.hpp"
#include "sip/sofia/library_limits.hpp"
#include "sip/sofia/library_thread.hpp"
#include "sip/sofia/message_parts.hpp"
#include "sip/sofia/outgoing_watch.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t places_max = 32;

struct Offer {
    base::Fd socket;
    int kind = 0; // SOCK_DGRAM or SOCK_STREAM
    base::SocketAddress address;
    bool is_new = false; // bound by us, for the stack
};

// A socket of the stack's that stands for a held one.
struct Place {
    int fd = -1;
    Offer held;
};

struct Bound {
    int fd = -1;
    base::SocketAddress address;
};

struct Diversion {
    base::SocketAddress stand_in;
    held_sockets::Hear hear;
};

struct Table {
    std::vector<Offer> offers;
    std::array<Place, places_max> places;
    int waiting = 0;
    std::vector<Diversion> diversions;
    int watches = 0;
    bool delays = false;
    std::vector<Bound> bound;
};

Table& table() {
    static Table one;
    return one;
}

Place* place_of(int fd) {
    if (table().waiting == 0) {
        return nullptr;
    }
    const auto fits = [fd](const Place& place) { return place.fd == fd; };
    auto& places = table().places;
    const auto found = std::ranges::find_if(places, fits);
    return found != places.end() ? &*found : nullptr;
}

int kind_of(int fd) {
    int kind = 0;
    socklen_t length = sizeof kind;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 ? kind : 0;
}

const Diversion* diversion_of(const msghdr& message) {
    const auto& diversions = table().diversions;
    if (message.msg_name == nullptr || diversions.empty()) {
        return nullptr;
    }
    const base::SocketAddress to{static_cast<const sockaddr*>(message.msg_name),
                                 message.msg_namelen};
    const auto found = std::ranges::find(diversions, to, &Diversion::stand_in);
    return found != diversions.end() ? &*found : nullptr;
}

bool is_to_a_peer(int fd) {
    int family = 0;
    socklen_t length = sizeof family;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 && family != AF_UNIX;
}

// Where a socket is bound, and not what it stands for.
std::optional<base::SocketAddress> real_address(int fd) {
    base::SocketAddress own;
    if (hooks.getsockname.own()(fd, own.data(), &own.size()) != 0) {
        return std::nullopt;
    }
    return own;
}

void hand_over(const Diversion& diversion, int fd, const msghdr& message) {
    base::at_boundary("the stand-in", [&] {
        if (const auto from = real_address(fd)) {
            diversion.hear(gather(message, size_of(message)), *from);
        }
    });
}

bool is_offered(int kind, const base::SocketAddress& wanted) {
    return std::ranges::any_of(table().offers, [&](const Offer& offer) {
        return offer.kind == kind && offer.address == wanted;
    });
}

// The held socket for what `fd` is about to be bound to, now in a place of its own.
bool take_place(int fd, int kind, const base::SocketAddress& wanted) {
    Table& t = table();
    const auto fits = [&](const Offer& offer) {
        return offer.kind == kind && offer.address == wanted;
    };
    const auto offer = std::ranges::find_if(t.offers, fits);
    const auto place = std::ranges::find_if(t.places, [](const Place& p) { return p.fd < 0; });
    if (offer == t.offers.end() || place == t.places.end()) {
        return false;
    }
    place->held = std::move(*offer);
    t.offers.erase(offer);
    place->fd = fd;
    ++t.waiting;
    return true;
}

// A socket bound where the stack wants one, as if it had been held. The stack tries again without
// us when it cannot be bound.
void offer_new(const base::SocketAddress& wanted) {
    base::Fd socket{::socket(wanted.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (socket && hooks.bind.own()(socket.get(), wanted.data(), wanted.size()) == 0) {
        table().offers.push_back(
            {.socket = std::move(socket), .kind = SOCK_DGRAM, .address = wanted, .is_new = true});
    }
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

// Where to send, from this machine, what is for a socket with that address.
base::SocketAddress reachable(const base::SocketAddress& address) {
    if (!address.is_any()) {
        return address;
    }
    const std::string host = base::SocketAddress::loopback(address.family()).host();
    return base::SocketAddress::numeric(host, address.port()).value_or(address);
}

} // namespace

void held_sockets::delay_reading() {
    table().delays = true;
}

std::vector<EarlyReader::Socket> held_sockets::unread() {
    std::vector<EarlyReader::Socket> sockets;
    for (const Place& place : table().places) {
        const int fd = place.fd;
        const auto into = fd >= 0 ? real_address(fd) : std::nullopt;
        if (into && place.held.kind == SOCK_DGRAM) {
            sockets.push_back({.fd = place.held.socket.get(),
                               .into = *into,
                               .then = reachable(place.held.address)});
        }
    }
    return sockets;
}

void held_sockets::offer(std::vector<base::Fd> sockets) {
    for (base::Fd& socket : sockets) {
        const auto address = base::SocketAddress::of(socket.get());
        if (address && table().offers.size() < places_max) {
            const int kind = kind_of(socket.get());
            table().offers.push_back(
                {.socket = std::move(socket), .kind = kind, .address = *address});
        }
    }
}

void held_sockets::divert(const base::SocketAddress& stand_in, Hear hear) {
    table().diversions.push_back({.stand_in = stand_in, .hear = std::move(hear)});
}

void held_sockets::undivert(const base::SocketAddress& stand_in) {
    std::erase_if(table().diversions,
                  [&](const Diversion& one) { return one.stand_in == stand_in; });
}

held_sockets::Watch::Watch() {
    ++table().watches;
}

held_sockets::Watch::~Watch() {
    --table().watches;
}

std::vector<int> held_sockets::bound() {
    std::vector<int> sockets;
    for (const Bound& one : table().bound) {
        // The stack has closed some again, and their numbers may be others' by now.
        if (real_address(one.fd) == one.address) {
            sockets.push_back(one.fd);
        }
    }
    for (const Place& place : table().places) {
        if (place.fd >= 0 && place.held.is_new) {
            sockets.push_back(place.held.socket.get());
        }
    }
    return sockets;
}

std::optional<base::SocketAddress> held_sockets::reads_at(const base::SocketAddress& wanted) {
    for (const Place& place : table().places) {
        const int fd = place.fd;
        if (fd >= 0 && place.held.kind == SOCK_DGRAM && place.held.address == wanted) {
            return real_address(fd);
        }
    }
    return reachable(wanted);
}

bool held_sockets::waiting() {
    return std::ranges::any_of(
        table().places, [](const Place& place) { return place.fd >= 0 && !place.held.is_new; });
}

base::Status held_sockets::adopt() {
    Table& t = table();
    t.offers.clear();
    for (Place& place : t.places) {
        const int fd = place.fd;
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
        place.fd = -1;
        --t.waiting;
    }
    return {};
}

// ---- In front of libc's functions --------------------------------------------------------------

namespace {

int bind_in_place(int fd, const sockaddr* address, socklen_t length) {
    auto* const own = hooks.bind.own();
    const base::SocketAddress wanted{address, length};
    if (!is_library_thread() || table().watches == 0 ||
        (wanted.family() != AF_INET && wanted.family() != AF_INET6)) {
        return own(fd, address, length);
    }
    const int kind = kind_of(fd);
    if (table().delays && kind == SOCK_DGRAM && wanted.port() != 0 && !is_offered(kind, wanted)) {
        offer_new(wanted);
    }
    if (take_place(fd, kind, wanted)) {
        const auto loopback = base::SocketAddress::loopback(wanted.family());
        return own(fd, loopback.data(), loopback.size());
    }
    const int result = own(fd, address, length);
    if (const auto bound = result == 0 ? real_address(fd) : std::nullopt) {
        table().bound.push_back({.fd = fd, .address = *bound});
    }
    return result;
}

int tell_wanted_address(int fd, sockaddr* address, socklen_t* length) {
    const Place* place = is_library_thread() ? place_of(fd) : nullptr;
    return hooks.getsockname.own()(place != nullptr ? place->held.socket.get() : fd, address,
                                   length);
}

// The stack sends itself a test datagram when it has bound a UDP socket; under its wanted address
// it would land in the held socket.
ssize_t send_test(
    int fd, const void* data, std::size_t size, int flags, const sockaddr* to, socklen_t length) {
    auto* const own = hooks.sendto.own();
    if (!is_library_thread() || place_of(fd) == nullptr) {
        return own(fd, data, size, flags, to, length);
    }
    const auto here = real_address(fd);
    return here ? own(fd, data, size, flags, here->data(), here->size()) : -1;
}

// What is for a peer goes out through the held socket: it would else leave from a port that the
// peer does not know.
ssize_t pass_on(int fd, const msghdr& message, int flags) {
    const bool is_stream = message.msg_name == nullptr;
    const Place* place = !is_stream ? place_of(fd) : nullptr;
    if (is_stream) {
        accepted_connections::said_something(fd);
        held_connections::before_send(fd);
    }
    const ssize_t sent = hooks.sendmsg.own()(place != nullptr ? place->held.socket.get()
                                                              : held_connections::way_out(fd),
                                             &message, flags);
    if (is_stream) {
        held_connections::after_send(fd, sent, size_of(message));
    }
    if (base::has_kill_points && is_to_a_peer(fd)) {
        base::pass(base::KillPoint::after_send);
    }
    return sent;
}

ssize_t send_in_order(int fd, const msghdr& message, int flags) {
    const std::size_t size = size_of(message);
    if (KeptMessage::is_leaving()) {
        stream_order::write(fd, gather(message, size), pass_on);
        return static_cast<ssize_t>(size);
    }
    if (stream_order::keeps(fd, message)) {
        return static_cast<ssize_t>(size);
    }
    const ssize_t sent = pass_on(fd, message, flags);
    stream_order::written(fd, sent, size);
    return sent;
}

ssize_t send_message(int fd, const msghdr* message, int flags) {
    if (!is_library_thread()) {
        return hooks.sendmsg.own()(fd, message, flags);
    }
    const bool is_stream = message->msg_name == nullptr;
    const bool is_rest = is_stream && stream_order::is_within_message(fd);
    if (!is_rest && outgoing_watch::stops(fd, *message)) {
        return static_cast<ssize_t>(size_of(*message));
    }
    if (const Diversion* diversion = diversion_of(*message)) {
        hand_over(*diversion, fd, *message);
        return static_cast<ssize_t>(size_of(*message));
    }
    return is_stream ? send_in_order(fd, *message, flags) : pass_on(fd, *message, flags);
}

const Standing binds{hooks.bind, bind_in_place};
const Standing addresses{hooks.getsockname, tell_wanted_address};
const Standing tests{hooks.sendto, send_test};
const Standing messages{hooks.sendmsg, send_message};

} // namespace

} // namespace revenant::sip
