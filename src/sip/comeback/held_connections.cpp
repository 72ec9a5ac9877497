#include "sip/comeback/held_connections.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/sip/connections.hpp"
#include "sip/comeback/loopback_pair.hpp"
#include "sip/comeback/message_beginning.hpp"
#include "sip/comeback/returned_connections.hpp"
#include "sip/comeback/stream_order.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/library_limits.hpp"
#include "sip/sofia/library_thread.hpp"
#include "sip/sofia/outgoing_gate.hpp"

namespace revenant::sip {

namespace {

// Other threads come through `close` too: they look at `fd`, `is_new` and the counts
// only, and never find theirs. Everything else is the main thread's.
struct Connection {
    std::atomic<int> fd{-1};
    std::atomic<bool> is_new{false}; // given back, and nothing read yet
    std::uint32_t id = 0;
    bool is_kept = false; // false: this process only, after a message that was sent in part
    // While the stack has still to read what was said first: the connection, and how much is left.
    base::Fd real;
    base::Fd said_into;
    std::size_t left = 0;
};

struct Table {
    std::thread::id main_thread; // valid when there is a keeper
    std::atomic<ConnectionKeeper*> keeper{nullptr};
    std::uint32_t last_id = 0;
    std::array<Connection, held_connections::held_max> connections;
    std::atomic<int> held{0};
    std::atomic<int> unread{0};
    ReturnedConnections returned;
};

Table& table() {
    // Never destroyed: `close` is called to the very end.
    static Table& one = *new Table;
    return one;
}

bool is_ours() {
    return table().keeper.load(std::memory_order_acquire) != nullptr &&
           std::this_thread::get_id() == table().main_thread;
}

// For those whose `is_ours` was true.
ConnectionKeeper& the_keeper() {
    return *table().keeper.load(std::memory_order_relaxed);
}

bool is_tcp(int fd) {
    int protocol = 0;
    socklen_t length = sizeof protocol;
    return ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 &&
           protocol == IPPROTO_TCP;
}

Connection* find(int fd) {
    if (table().held.load(std::memory_order_relaxed) == 0 || fd < 0) {
        return nullptr;
    }
    auto& all = table().connections;
    const auto found = std::ranges::find_if(
        all, [fd](const Connection& c) { return c.fd.load(std::memory_order_relaxed) == fd; });
    return found != all.end() ? &*found : nullptr;
}

// Null when the table is full.
Connection* note(int fd, std::uint32_t id, bool is_new) {
    auto& all = table().connections;
    const auto free = std::ranges::find_if(
        all, [](const Connection& c) { return c.fd.load(std::memory_order_relaxed) < 0; });
    if (free == all.end()) {
        return nullptr;
    }
    free->id = id;
    free->is_kept = true;
    free->is_new.store(is_new, std::memory_order_relaxed);
    free->fd.store(fd, std::memory_order_relaxed);
    table().held.fetch_add(1, std::memory_order_relaxed);
    table().unread.fetch_add(is_new ? 1 : 0, std::memory_order_relaxed);
    return &*free;
}

void begin_reading(Connection& connection) {
    if (connection.is_new.exchange(false, std::memory_order_relaxed)) {
        table().unread.fetch_sub(1, std::memory_order_relaxed);
    }
}

void let_go(Connection& connection) {
    if (std::exchange(connection.is_kept, false)) {
        the_keeper().drop_connection(connection.id);
    }
}

void forget(Connection& connection) {
    begin_reading(connection);
    let_go(connection);
    connection.said_into.reset();
    const base::Fd real = std::move(connection.real); // comes back here when it is closed
    connection.left = 0;
    connection.fd.store(-1, std::memory_order_relaxed);
    table().held.fetch_sub(1, std::memory_order_relaxed);
}

// Looks without taking. True while nothing speaks against it.
bool may_read(Connection& connection) {
    std::array<char, 128> bytes{};
    const ssize_t size = ::recv(connection.fd.load(std::memory_order_relaxed), bytes.data(),
                                bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (size <= 0) {
        return true; // the stack's own read tells
    }
    const Beginning beginning = judge({bytes.data(), static_cast<std::size_t>(size)});
    if (beginning == Beginning::of_message) {
        begin_reading(connection);
    }
    return beginning != Beginning::of_nothing_known;
}

// Gives the connection to the stack, behind what it has to read first.
int hand_over(ReturnedConnection returned) {
    KeptConnection& kept = returned.kept;
    const std::string_view first = returned.first;
    auto pair = first.empty() ? std::nullopt : loopback_pair();
    if (pair && ::send(pair->first.get(), first.data(), first.size(),
                       MSG_NOSIGNAL | MSG_DONTWAIT) != static_cast<ssize_t>(first.size())) {
        pair.reset();
    }
    if (!pair) {
        const int fd = kept.socket.release();
        static_cast<void>(note(fd, kept.id, true)); // no more than fit were taken over
        return fd;
    }
    const int fd = pair->second.release();
    if (Connection* connection = note(fd, kept.id, true)) {
        connection->real = std::move(kept.socket);
        connection->said_into = std::move(pair->first);
        connection->left = first.size();
    }
    return fd;
}

} // namespace

void keep_connections(ConnectionKeeper& keeper, std::vector<KeptConnection> earlier) {
    Table& t = table();
    t.main_thread = std::this_thread::get_id();
    t.keeper.store(&keeper, std::memory_order_release);
    for (KeptConnection& one : earlier) {
        t.last_id = std::max(t.last_id, one.id);
        if (t.returned.count() < held_connections::held_max) {
            t.returned.add(std::move(one));
        } else {
            keeper.drop_connection(one.id);
        }
    }
}

void held_connections::before_send(int fd) {
    if (!is_ours() || find(fd) != nullptr || !is_tcp(fd)) {
        return;
    }
    Table& t = table();
    if (note(fd, t.last_id + 1, false)) {
        the_keeper().hold_connection(++t.last_id, fd);
    }
}

void held_connections::after_send(int fd, ssize_t sent, std::size_t size) {
    if (sent < 0 || static_cast<std::size_t>(sent) == size || !is_ours()) {
        return;
    }
    if (Connection* connection = find(fd)) {
        let_go(*connection);
    }
}

void held_connections::give_back() {
    if (is_ours()) {
        table().returned.open(the_keeper());
    }
}

bool held_connections::waits(const base::SocketAddress& peer) {
    return table().returned.has(peer);
}

bool held_connections::say_first(const base::SocketAddress& peer, std::string_view message) {
    return table().returned.say_first(peer, message);
}

int held_connections::way_out(int fd) {
    if (table().unread.load(std::memory_order_relaxed) == 0) {
        return fd;
    }
    const Connection* connection = find(fd);
    return connection != nullptr && connection->real ? connection->real.get() : fd;
}

void held_connections::after_receive(int fd, ssize_t size) {
    if (size <= 0 || table().unread.load(std::memory_order_relaxed) == 0) {
        return;
    }
    Connection* connection = find(fd);
    if (connection == nullptr || !connection->real) {
        return;
    }
    connection->left -= std::min(static_cast<std::size_t>(size), connection->left);
    if (connection->left == 0) { // the caller's own from here on
        static_cast<void>(::dup3(connection->real.get(), fd, O_CLOEXEC));
        connection->real.reset();
        connection->said_into.reset();
    }
}

bool held_connections::before_receive(int fd) {
    if (table().unread.load(std::memory_order_relaxed) == 0) {
        return true;
    }
    Connection* connection = find(fd);
    if (connection == nullptr || !connection->is_new.load(std::memory_order_relaxed) ||
        connection->real || may_read(*connection)) {
        return true;
    }
    base::log(base::Level::warning,
              "a TCP connection of the earlier run goes on in the middle of a "
              "message: closed, the peer opens another");
    return false;
}

// ---- In front of libc's functions --------------------------------------------------------------

namespace {

int listen_and_note(int fd, int backlog) {
    if (is_ours() && is_tcp(fd)) {
        table().returned.add_listener(fd);
    }
    return hooks.listen.own()(fd, backlog);
}

int accept_returned(int fd, sockaddr* address, socklen_t* length) {
    auto returned = is_ours() ? table().returned.take(fd, the_keeper()) : std::nullopt;
    if (!returned && is_library_thread() && !accepted_connections::may_accept()) {
        errno = 0; // no trouble to be reported
        return -1;
    }
    if (!returned) {
        const int fresh = hooks.accept.own()(fd, address, length);
        if (fresh >= 0 && is_library_thread()) {
            accepted_connections::accepted(fresh);
        }
        return fresh;
    }
    const auto peer = base::SocketAddress::of_peer(returned->kept.socket.get());
    if (address != nullptr && length != nullptr && peer) {
        std::memcpy(address, peer->data(), std::min(*length, peer->size()));
        *length = peer->size();
    }
    const int old = hand_over(std::move(*returned));
    accepted_connections::accepted(old);
    accepted_connections::said_something(old);
    return old;
}

// The stack does this before it closes a connection, which reaches the peer although somebody has a
// copy.
int shutdown_and_forget(int fd, int how) {
    if (is_ours()) {
        if (Connection* connection = find(fd)) {
            forget(*connection);
        }
    }
    return hooks.shutdown.own()(fd, how);
}

int close_and_forget(int fd) {
    if (is_library_thread()) {
        accepted_connections::closed(fd);
        outgoing_gate::closed(fd);
        stream_order::closed(fd);
    }
    if (is_ours()) {
        table().returned.closes(fd, the_keeper());
        if (Connection* connection = find(fd)) {
            forget(*connection);
        }
    }
    return hooks.close.own()(fd);
}

const Standing listening{hooks.listen, listen_and_note};
const Standing accepting{hooks.accept, accept_returned};
const Standing shutting_down{hooks.shutdown, shutdown_and_forget};
const Standing closing{hooks.close, close_and_forget};

} // namespace

} // namespace revenant::sip
