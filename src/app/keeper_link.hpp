// Somebody who outlives the phone and holds its sockets meanwhile: revenant-keeper or systemd. Both
// speak sd_notify's FDSTORE and sd_listen_fds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/heartbeat.hpp"
#include "app/own_slate.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/sip/connections.hpp"

namespace revenant::app {

class Keeping : public sip::ConnectionKeeper {
public:
    // Takes over what the environment hands on (LISTEN_FDS, LISTEN_FDNAMES). Once per process.
    Keeping();

    // Whether somebody is there (NOTIFY_SOCKET), and has not died since.
    [[nodiscard]] bool is_kept() const { return is_kept_; }

    [[nodiscard]] bool was_kept() const { return was_kept_; }

    // Calls `on_gone` when the keeper dies, which leaves us as we are: nobody holds copies of our
    // sockets from then on, and nobody would start us again. systemd does not die.
    void watch_keeper(std::function<void()> on_gone);

    // What the keeper says the life before this one has died of, if it was the keeper's doing.
    [[nodiscard]] const std::string& last_death() const { return last_death_; }

    [[nodiscard]] OwnSlate& slate() { return slate_; }

    // The main loop reports in from now on.
    void begin_beating() { heartbeat_.begin(); }

    void set_calls_live(bool live) { heartbeat_.set_calls_live(live); }

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
    // For the lives after this one, until the phone ends by itself.
    void hold_configuration(const shell::Configuration& configuration);
    void drop_configuration() const;

    // The phone works, and has its calls back: `status` in a few words.
    void say_ready(const std::string& status);

private:
    void hold(const std::string& name, int fd) const;
    void drop(const std::string& name) const;

    bool is_kept_;
    bool was_kept_ = is_kept_;
    std::multimap<std::string, base::Fd> held_; // by name
    OwnSlate slate_;
    base::Fd configuration_;
    bool is_return_;
    Heartbeat heartbeat_;
    std::string last_death_;
    base::Fd keeper_; // a pidfd
    base::Source keeper_watch_;
};

} // namespace revenant::app
