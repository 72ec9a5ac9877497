// The parts of a running phone, in the order in which they come up.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/console.hpp"
#include "app/drill.hpp"
#include "app/exits.hpp"
#include "app/keeper_link.hpp"
#include "app/records.hpp"
#include "app/suspects.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/sip/agent.hpp"

struct _GMainLoop; // NOLINT(bugprone-reserved-identifier): GLib's name

namespace revenant::app {

// A later life goes on without what an option names; the first would not have started.
void tell_lacking(const base::Error& error);

class Phone {
public:
    explicit Phone(shell::Options options) : options_{std::move(options)} {}

    // Whether an earlier life has left sockets to a keeper: calls depend on this one.
    [[nodiscard]] bool is_return() const { return keeping_.is_return(); }

    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;
    ~Phone() = default;

    // Journal, media, SIP: after it, calls can come in and go out.
    [[nodiscard]] base::Status open();
    // Console and main loop, to the end.
    [[nodiscard]] int run();

private:
    struct EndLoop {
        void operator()(_GMainLoop* loop) const;
    };

    // The steps of `open`, in this order (phone_open.cpp).
    [[nodiscard]] base::Status open_records();
    [[nodiscard]] base::Status open_media();
    [[nodiscard]] base::Status open_board();
    [[nodiscard]] base::Status take_over(); // records become calls again
    [[nodiscard]] base::Status open_sip();
    void report(const Suspects& suspects);
    void open_console();
    void tell_ready() const;
    void tell_last_death() const;
    void say_ready();     // to the keeper, once the console and all calls are there
    void on_in_service(); // all dialogs are in the stack again, and peers are heard
    [[nodiscard]] int exit_status() const;

    // The parts in the order in which they come up: each goes before those that it refers to.
    shell::Options options_;
    std::unique_ptr<_GMainLoop, EndLoop> loop_;
    Keeping keeping_;
    Records records_;
    std::unique_ptr<media::Engine> media_;
    std::unique_ptr<CallPorts> ports_;
    std::unique_ptr<Switchboard> board_;
    std::unique_ptr<Comeback> comeback_;
    std::unique_ptr<sip::Agent> agent_;
    std::unique_ptr<Drill> drill_;
    std::unique_ptr<Console> console_;
    std::unique_ptr<Exits> exits_;

    std::size_t found_ = 0; // calls of an earlier life
    bool running_ = false;
    bool in_service_ = false;
};

} // namespace revenant::app
