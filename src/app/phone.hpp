// The parts of a running phone, in the order in which they come up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/drill.hpp"
#include "app/end_signals.hpp"
#include "app/keeper_link.hpp"
#include "app/suspects.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"
#include "revenant/shell/script.hpp"
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
    ~Phone();

    // Journal, media, SIP: after it, calls can come in and go out.
    [[nodiscard]] base::Status open();
    // Shell and main loop, to the end.
    [[nodiscard]] int run();

private:
    static void tell(std::string event, shell::Tone tone, std::string text);
    // The steps of `open`, in this order (phone_open.cpp).
    [[nodiscard]] base::Status open_store();
    [[nodiscard]] base::Status load_records();
    [[nodiscard]] base::Status open_media();
    [[nodiscard]] base::Status open_board();
    [[nodiscard]] base::Status take_over(); // records become calls again
    [[nodiscard]] base::Status open_sip();
    void report(const journal::Loaded& loaded) const;
    void report_suspects();
    void tell_ready() const;
    void tell_last_death() const;
    void say_ready();     // to the keeper, once the shell and all calls are there
    void on_in_service(); // all dialogs are in the stack again, and peers are heard
    void add_program_commands();
    // Commands come from a stdin that is no terminal, to its end.
    [[nodiscard]] bool is_stdin_script() const;
    void begin_shell();
    // `stays`: its end does not end the phone.
    void begin_script(std::function<void(const shell::ScriptLine&, const base::Status&)> on_result,
                      bool stays);
    void begin_stdin_script();
    void begin_prompt();
    void on_line(const std::string& line);
    [[nodiscard]] bool may_outlive_us(std::string_view typed) const;
    void on_end_of_input();
    // With --json: what came of a command that was read from stdin.
    void tell_result(const std::string& line, const base::Status& status) const;
    void end_by_signal(int number);
    void begin_quit(); // BYE to all, then the end
    // Leaves everything to the next start; does not return.
    [[noreturn]] void detach();
    [[noreturn]] void leave(int status);
    void upgrade(); // detach, and have the keeper start the program anew
    static void on_keeper_gone();

    [[nodiscard]] int exit_status() const;

    shell::Options options_;
    _GMainLoop* loop_ = nullptr;
    Keeping keeping_;
    std::unique_ptr<journal::Store> store_;
    journal::Loaded loaded_; // until it is taken over
    std::unique_ptr<base::HandPage> page_;
    std::unique_ptr<Suspects> suspects_;
    std::unique_ptr<media::Engine> media_;
    std::unique_ptr<CallPorts> ports_;
    std::unique_ptr<Switchboard> board_;
    std::unique_ptr<Comeback> comeback_;
    std::unique_ptr<sip::Agent> agent_;
    std::unique_ptr<Drill> drill_;
    shell::Table table_;
    std::unique_ptr<shell::Prompt> prompt_;
    std::unique_ptr<shell::Script> script_;
    std::vector<base::Source> signals_;
    std::unique_ptr<EndSignals> end_signals_;
    base::Source quit_deadline_;
    base::Source prompt_refresh_;
    std::size_t failures_ = 0;
    std::size_t found_ = 0;
    bool quitting_ = false;
    bool running_ = false;
    bool in_service_ = false;
    bool is_scripted_ = false;      // a script has commands left
    bool end_was_asked_ = false;    // Ctrl-D while calls are live, and nothing typed since
    std::optional<int> ended_by_{}; // the signal that has cut a script short
};

} // namespace revenant::app
