// The keeper's loop: signals, what the phone says, its death and its next start.
//
// The phone takes the keeper for systemd, which differs for it in this: FDPOLL means nothing here
// (a stored socket is dropped by FDSTOREREMOVE only), MAINPID is ignored, and only the phone itself
// is heeded, not its children. Both are of one process group, so that a terminal's signals (Ctrl-C,
// Ctrl-Z, a new size, hangup) reach both. When the keeper dies the phone lives on and can be ended
// as any process; its sockets then last as long as it does.
//
// Who asks the phone to end by SIGTERM, SIGINT or SIGHUP, through the keeper or not, means it: when
// it has died of that, or of anything after a SIGTERM or SIGHUP, it is not started again. It has
// 5 s to go.
#pragma once

#include <optional>
#include <set>
#include <string>

#include <sys/types.h>

#include "keeper/backoff.hpp"
#include "keeper/fd_store.hpp"
#include "keeper/launcher.hpp"
#include "keeper/notify_socket.hpp"
#include "keeper/options.hpp"
#include "keeper/signals.hpp"
#include "keeper/slate_view.hpp"
#include "keeper/terminal.hpp"
#include "keeper/watchdog.hpp"

namespace revenant::keeper {

// The exit status by which a phone asks to be started again, from a new binary perhaps.
inline constexpr int restart_me = 88;

// How the keeper is to end: with the status, or by the signal if there is one.
struct Ending {
    int status = 0;
    int signal = 0;
};

class Keeper {
public:
    explicit Keeper(const Options& options);

    // Keeps the phone until it ends for good.
    [[nodiscard]] Ending run();

private:
    void start();
    void could_not_start(int error);
    void wait() const;
    [[nodiscard]] std::optional<Clock::time_point> next_deadline() const;

    void take_signals();
    void pass_on(const Signals::Arrival& arrival);

    void take_messages(int count_max);
    void heed(Datagram& datagram);
    void hear(const Message& message);
    void store(const Message& message, Passed& passed);
    void refuse(const std::string& what);

    void take_deaths();
    void exited(int status);
    void killed(int signal);
    [[nodiscard]] bool is_asked_to_end() const;
    void again_after(Clock::duration wait, const std::string& why);

    void mind_deadlines(Clock::time_point now);
    void look_at_phone(Clock::time_point now);
    void kill_phone(const std::string& why);

    const Options& options_; // outlives the keeper
    std::string phone_;      // its name, for messages
    Terminal terminal_;
    FdStore store_;
    Signals signals_;
    NotifySocket socket_;
    Launcher launcher_;
    Backoff backoff_;
    Watchdog watchdog_;
    SlateView slate_;

    std::optional<Ending> ending_;
    bool ever_started_ = false;

    // This life.
    pid_t pid_ = 0; // 0: there is no phone now
    Clock::time_point started_;
    bool ready_ = false;
    std::string why_killed_;                   // by us; empty: not
    std::string status_;                       // its last STATUS=
    bool asked_ = false;                       // to end, by a signal that we have passed on
    std::optional<Clock::time_point> end_due_; // it is to have ended by then
    std::set<std::string> refused_;            // each kind of refusal is said once

    std::string death_;                          // of the last life, for the next one's ledger
    std::optional<Clock::time_point> start_due_; // while backing off
    std::optional<Clock::time_point> arrange_due_;
};

} // namespace revenant::keeper
