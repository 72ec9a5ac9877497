#include "app/exits.hpp"

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "app/notices.hpp"
#include "revenant/app/phone.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// How long `quit` waits for the answers to its BYEs. What is not answered by then is stored, and
// the next start says BYE again.
constexpr std::uint32_t quit_patience_ms = 4000;

// How long a start that leaves its calls to the next waits for what is being stored.
constexpr std::uint32_t settling_ms = 1000;

} // namespace

Exits::Exits(Switchboard& board, Keeping& keeping, Hooks hooks)
    : board_{&board}, keeping_{&keeping}, hooks_{std::move(hooks)},
      // SAFETY: the signals are members.
      end_signals_{*keeping.slate(), [this] { by_signal(SIGTERM); }, [this] { by_signal(SIGHUP); }},
      upgrade_signal_{base::on_signal(SIGUSR2, [this] { upgrade(); })} {}

void Exits::take_interrupt() {
    interrupt_ = base::on_signal(SIGINT, [this] { by_signal(SIGINT); });
}

void Exits::quit() {
    if (std::exchange(quitting_, true)) {
        return;
    }
    std::vector<call::Number> all;
    for (const auto& [number, call] : board_->calls()) {
        all.push_back(number);
    }
    auto left = std::make_shared<std::size_t>(0);
    const auto finish = [this] {
        // The stack waits for its transactions, which are done with; should one linger all the
        // same, the deadline below ends it.
        finish_ = base::when_idle([this] { board_->agent().shut_down(hooks_.end); });
    };
    for (const call::Number number : all) {
        const call::Call* call = board_->find(number);
        if (call == nullptr || call->state == call::State::over) {
            continue;
        }
        ++*left;
        board_->waits().add(
            number,
            [](const call::Call& c) {
                return c.state == call::State::over ? std::optional{base::Status{}} : std::nullopt;
            },
            0, "",
            [left, finish](const base::Status&) {
                if (--*left == 0) {
                    finish();
                }
            });
    }
    quit_deadline_ = base::after_ms(quit_patience_ms, [this, left] {
        if (*left > 0) {
            tell("quit.unanswered", shell::Tone::attention,
                 fmt::format("{} BYE{} not answered; the next start says it again", *left,
                             *left == 1 ? " was" : "s were"));
        }
        detach();
    });
    if (*left == 0) {
        finish();
        return;
    }
    for (const call::Number number : all) {
        base::get_on();
        if (board_->find(number) != nullptr) {
            board_->apply(number, call::event::HangUp{});
        }
    }
}

// By convention a program that a signal has ended says so by its status.
void Exits::by_signal(int number) {
    if (hooks_.is_scripted()) {
        script_ended_by_ = number;
    }
    if (number == SIGHUP) {
        detach();
    }
    quit();
}

void Exits::detach() {
    leave(hooks_.exit_status());
}

// What is not stored has not been said: the next start would find the call as it was before.
void Exits::settle() {
    bool is_late = false;
    const base::Source deadline = base::after_ms(settling_ms, [&] { is_late = true; });
    while (!board_->is_settled() && !is_late) {
        g_main_context_iteration(nullptr, TRUE);
    }
}

void Exits::leave(int status) {
    settle();
    board_->media().detach();
    hooks_.close_console();
    shell::flush_output();
    // Destroys nothing: a destroyed dialog says BYE.
    ::_exit(status);
}

void Exits::upgrade() {
    if (!keeping_->is_kept()) {
        tell("error", shell::Tone::bad,
             "nobody would start the phone again: run it with --keep, or under systemd");
        return;
    }
    leave(exit_restart_me);
}

void Exits::on_keeper_gone() {
    tell(
        "keeper.gone", shell::Tone::bad,
        "the keeper is dead: calls go on, but nobody holds their sockets any more and nobody would "
        "start the phone again; `detach` and start it anew with --keep when it suits");
}

} // namespace revenant::app
