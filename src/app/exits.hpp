// The ways out: quit says BYE to all, detach leaves all calls to the next start.
#pragma once

#include <functional>
#include <optional>

#include "app/end_signals.hpp"
#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/source.hpp"

namespace revenant::app {

class Exits {
public:
    struct Hooks {
        std::function<void()> end; // the main loop, and with it the phone
        std::function<void()> close_console;
        std::function<bool()> is_scripted;
        std::function<int()> exit_status;
    };

    // All borrowed; they outlive the Exits. SIGTERM, SIGHUP and SIGUSR2 are taken from here on.
    Exits(Switchboard& board, Keeping& keeping, Hooks hooks);
    Exits(const Exits&) = delete;
    Exits& operator=(const Exits&) = delete;
    ~Exits() = default;

    // Ctrl-C is no prompt's.
    void take_interrupt();

    void quit(); // BYE to all, then the end
    // Leaves everything to the next start; does not return.
    [[noreturn]] void detach();
    void upgrade(); // detach, and have the keeper start the program anew
    static void on_keeper_gone();

    // The signal that has cut a script short.
    [[nodiscard]] std::optional<int> script_ended_by() const { return script_ended_by_; }

private:
    void by_signal(int number);
    void settle(); // until all that has happened is stored, or for a while
    [[noreturn]] void leave(int status);

    Switchboard* board_;
    Keeping* keeping_;
    Hooks hooks_;
    EndSignals end_signals_;
    base::Source upgrade_signal_;
    base::Source interrupt_;
    base::Source quit_deadline_;
    base::Source finish_;
    bool quitting_ = false;
    std::optional<int> script_ended_by_{};
};

} // namespace revenant::app
