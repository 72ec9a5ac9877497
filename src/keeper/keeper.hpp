// The keeper's loop: signals, what the phone says, its death and its next start.
//
// The phone takes the keeper for systemd, which differs for it in this: FDPOLL means nothing here
// (a stored socket is dropped by FDSTOREREMOVE only), MAINPID is ignored, and only the phone itself
// is heeded, not its children. Both are of one process group, so that a terminal's signals (Ctrl-C,
// Ctrl-Z, a new size, hangup) reach both. When the keeper dies the phone lives on and can be ended
// as any process; its sockets then last as long as it does.
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
#include "keeper/terminal.hpp"

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
    void store(const Message& message, Passed& passed);
    void refuse(const std::string& what);

    void take_deaths();
    void exited(int status);
    void killed(int signal);
    void again_after(Clock::duration wait, const std::string& why);

    void mind_deadlines(Clock::time_point now);

    const Options& options_; // outlives the keeper
    std::string phone_;      // its name, for messages
    Terminal terminal_;
    FdStore store_;
    Signals signals_;
    NotifySocket socket_;
    Launcher launcher_;
    Backoff backoff_;

    std::optional<Ending> ending_;
    bool ever_started_ = false;

    // This life.
    pid_t pid_ = 0; // 0: there is no phone now
    Clock::time_point started_;
    std::optional<Clock::time_point> ping_due_;
    bool ready_ = false;
    std::string status_;            // its last STATUS=
    std::set<int> asked_;           // signals that ask it to end, and were sent to it
    std::set<std::string> refused_; // each kind of refusal is said once

    std::optional<Clock::time_point> start_due_; // while backing off
    std::optional<Clock::time_point> arrange_due_;
};

} // namespace revenant::keeper
