// TCP connections that outlive the process: what the sip module wants of whoever keeps them.
#pragma once

#include <cstdint>
#include <vector>

#include "revenant/base/fd.hpp"

namespace revenant::sip {

// One that an earlier process had, and the number under which it was kept.
struct KeptConnection {
    std::uint32_t id = 0;
    base::Fd socket;
};

// Main thread. `drop_connection` comes once for each id that was held, in this life or before.
class ConnectionKeeper {
public:
    virtual ~ConnectionKeeper() = default;
    virtual void hold_connection(std::uint32_t id, int socket) = 0;
    virtual void drop_connection(std::uint32_t id) = 0;
};

// From now on, for the Agent that is created next; `keeper` must outlive that Agent. What the
// earlier process left goes to the stack after CallUsage::adopt_held_sockets.
void keep_connections(ConnectionKeeper& keeper, std::vector<KeptConnection> earlier);

} // namespace revenant::sip
