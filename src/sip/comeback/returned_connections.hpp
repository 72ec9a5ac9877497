// The way of an earlier process's TCP connections into the stack: `accept` of the listener that
// each may have come from. An eventfd in place of the listener makes the stack ask; when all are
// taken, the listener is put back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/sip/connections.hpp"

namespace revenant::sip {

struct ReturnedConnection {
    KeptConnection kept;
    std::string first; // to be read before anything else
};

// Where a ConnectionKeeper is wanted: a connection that has no way in is dropped there.
class ReturnedConnections {
public:
    void add(KeptConnection one);

    // Not yet on its way in, and still connected.
    [[nodiscard]] bool has(const base::SocketAddress& peer) const;
    // False: there is none.
    [[nodiscard]] bool say_first(const base::SocketAddress& peer, std::string_view message);

    [[nodiscard]] std::size_t count() const { return earlier_.size(); }

    void add_listener(int fd) { listeners_.push_back(fd); }

    void open(ConnectionKeeper& keeper);

    // The next for whoever accepts from the listener; none: it has its own.
    [[nodiscard]] std::optional<ReturnedConnection> take(int listener, ConnectionKeeper& keeper);

    // The stack closes that descriptor, which may be a listener.
    void closes(int fd, ConnectionKeeper& keeper);

private:
    struct Door {
        int listener = -1;
        base::Fd real;
        std::vector<ReturnedConnection> waiting;
    };

    [[nodiscard]] int best_listener(int connection) const;
    [[nodiscard]] Door* door_of(int listener);
    // Null when the system refuses.
    [[nodiscard]] Door* open_door(int listener);
    void remove(int listener);

    std::vector<int> listeners_;
    std::vector<ReturnedConnection> earlier_;
    std::vector<Door> doors_;
};

} // namespace revenant::sip
