// The main loop reports in: WATCHDOG=1 to the keeper or to systemd, for as long as it turns.
#pragma once

#include <cstdint>
#include <optional>

#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"

namespace revenant::app {

class Heartbeat {
public:
    // Reads WATCHDOG_USEC and WATCHDOG_PID; nothing happens when nobody watches. The watcher's
    // limit holds while calls are up. While none is, we ask for two and a half times as much
    // (WATCHDOG_USEC=): what a start with many records may take, and the price of a restart is
    // none.
    Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    ~Heartbeat() { stop(); }

    // From now on the main loop's turns and base::get_on are its words.
    void begin();
    // READY=1 has been said. Before it the limit stays as it is.
    void set_ready();
    void set_calls_live(bool live);

    void stop();

private:
    void say_alive();
    void get_on();
    void say_limit();

    std::uint64_t limit_us_; // 0: nobody watches
    base::Fd socket_;        // connected to the watcher, and never waited for
    base::Source beat_;
    std::int64_t period_ms_ = 0;
    std::int64_t said_ms_ = 0; // when the last word was said, by the clock of uptime
    bool ready_ = false;
    bool calls_live_ = false;
    std::optional<bool> told_; // that calls are live
};

} // namespace revenant::app
