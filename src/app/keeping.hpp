// Somebody who outlives the phone and holds its sockets meanwhile: revenant-keeper or systemd. Both
// speak sd_notify's FDSTORE and sd_listen_fds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/connections.hpp"

namespace revenant::app {

class Keeping : public sip::ConnectionKeeper {
public:
    // Takes over what the environment hands on (LISTEN_FDS, LISTEN_FDNAMES). Once per process.
    Keeping();

    // Whether somebody is there (NOTIFY_SOCKET).
    [[nodiscard]] bool is_kept() const { return is_kept_; }

    // Whether an earlier process of the same kept phone has left sockets: this start is a return.
    [[nodiscard]] bool is_return() const { return is_return_; }

    // What was held for us. Each can be taken once.
    [[nodiscard]] std::vector<base::Fd> take_sip();
    [[nodiscard]] std::vector<sip::KeptConnection> take_connections();

    struct Ports {
        base::Fd rtp;
        base::Fd rtcp;
    };

    [[nodiscard]] std::optional<Ports> take_ports(call::Number call);
    // Lets go of what nobody took: calls that no longer exist.
    void drop_rest();

    // Hand copies over; nothing happens when nobody is there.
    void hold_sip(int socket);
    void hold_ports(call::Number call, int rtp, int rtcp);
    void drop_ports(call::Number call);
    void hold_connection(std::uint32_t id, int socket) override;
    void drop_connection(std::uint32_t id) override;

    // The phone works: `status` in a few words. Starts the watchdog's pings if it is watched.
    void say_ready(const std::string& status);

private:
    void hold(const std::string& name, int fd) const;
    void drop(const std::string& name) const;

    bool is_kept_ = false;
    bool is_return_ = false;
    std::multimap<std::string, base::Fd> held_; // by name
    base::Source watchdog_;
};

} // namespace revenant::app
