#include "sip/comeback/returned_connections.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"

namespace revenant::sip {

namespace {

using base::SocketAddress;

// 0: a connection at `local` cannot have been one of that listener's. Those that we opened have a
// port of their own: any listener of the address will do.
int fitness(const SocketAddress& listener, const SocketAddress& local) {
    const bool is_same = listener.same_host(local);
    if (!is_same && !(listener.is_any() && listener.family() == local.family())) {
        return 0;
    }
    return 1 + (is_same ? 1 : 0) + (listener.port() == local.port() ? 2 : 0);
}

// None where it was still being made, or the peer has reset it.
std::optional<SocketAddress> peer_of(const ReturnedConnection& one) {
    return SocketAddress::of_peer(one.kept.socket.get());
}

} // namespace

void ReturnedConnections::add(KeptConnection one) {
    earlier_.push_back({.kept = std::move(one), .first = {}});
}

bool ReturnedConnections::has(const SocketAddress& peer) const {
    return std::ranges::any_of(earlier_, [&](const auto& one) { return peer_of(one) == peer; });
}

bool ReturnedConnections::say_first(const SocketAddress& peer, std::string_view message) {
    const auto one =
        std::ranges::find_if(earlier_, [&](const auto& each) { return peer_of(each) == peer; });
    if (one == earlier_.end()) {
        return false;
    }
    one->first += message;
    return true;
}

void ReturnedConnections::open(ConnectionKeeper& keeper) {
    auto earlier = std::exchange(earlier_, {});
    std::vector<int> listeners; // before a door hides any of them
    listeners.reserve(earlier.size());
    for (const ReturnedConnection& one : earlier) {
        listeners.push_back(peer_of(one) ? best_listener(one.kept.socket.get()) : -1);
    }
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        Door* door = listeners[i] >= 0 ? door_of(listeners[i]) : nullptr;
        if (door == nullptr && listeners[i] >= 0) {
            door = open_door(listeners[i]);
        }
        if (door != nullptr) {
            door->waiting.push_back(std::move(earlier[i]));
        } else {
            keeper.drop_connection(earlier[i].kept.id);
        }
    }
}

std::optional<ReturnedConnection> ReturnedConnections::take(int listener,
                                                            ConnectionKeeper& keeper) {
    Door* door = door_of(listener);
    std::optional<ReturnedConnection> taken;
    while (door != nullptr && !taken && !door->waiting.empty()) {
        ReturnedConnection one = std::move(door->waiting.back());
        door->waiting.pop_back();
        if (peer_of(one)) {
            taken = std::move(one);
        } else {
            keeper.drop_connection(one.kept.id);
        }
    }
    if (door != nullptr && door->waiting.empty()) {
        static_cast<void>(::dup3(door->real.get(), listener, O_CLOEXEC));
        remove(listener);
    }
    return taken;
}

void ReturnedConnections::closes(int fd, ConnectionKeeper& keeper) {
    std::erase(listeners_, fd);
    if (Door* door = door_of(fd)) {
        for (const ReturnedConnection& one : door->waiting) {
            keeper.drop_connection(one.kept.id);
        }
        remove(fd);
    }
}

int ReturnedConnections::best_listener(int connection) const {
    const auto local = SocketAddress::of(connection);
    int best = -1;
    int best_fitness = 0;
    for (const int listener : listeners_) {
        const auto at = SocketAddress::of(listener);
        const int fits = at && local ? fitness(*at, *local) : 0;
        if (fits > best_fitness) {
            best = listener;
            best_fitness = fits;
        }
    }
    return best;
}

ReturnedConnections::Door* ReturnedConnections::door_of(int listener) {
    const auto door = std::ranges::find(doors_, listener, &Door::listener);
    return door != doors_.end() ? &*door : nullptr;
}

ReturnedConnections::Door* ReturnedConnections::open_door(int listener) {
    const base::Fd knock{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    base::Fd real{::fcntl(listener, F_DUPFD_CLOEXEC, 0)};
    if (!knock || !real || ::dup3(knock.get(), listener, O_CLOEXEC) < 0) {
        return nullptr;
    }
    doors_.push_back({.listener = listener, .real = std::move(real), .waiting = {}});
    return &doors_.back();
}

void ReturnedConnections::remove(int listener) {
    const auto door = std::ranges::find(doors_, listener, &Door::listener);
    const Door closed = std::move(*door); // its descriptors are closed after it has left the list
    doors_.erase(door);
}

} // namespace revenant::sip
