// The ways out: quit says BYE to all, detach leaves all calls to the next start.
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

#include "app/phone.hpp"
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

} // namespace

void Phone::tell(std::string event, shell::Tone tone, std::string text) {
    shell::print({.event = std::move(event),
                  .call = std::nullopt,
                  .tone = tone,
                  .text = std::move(text),
                  .fields = {}});
}

void Phone::begin_quit() {
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
        signals_.push_back(
            base::when_idle([this] { agent_->shut_down([this] { g_main_loop_quit(loop_); }); }));
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
void Phone::end_by_signal(int number) {
    if (is_scripted_) {
        ended_by_ = number;
    }
    if (number == SIGHUP) {
        detach();
    }
    begin_quit();
}

void Phone::detach() {
    leave(exit_status());
}

void Phone::leave(int status) {
    media_->detach();
    prompt_.reset(); // the terminal as it was
    shell::flush_output();
    // Destroys nothing: a destroyed dialog says BYE.
    ::_exit(status);
}

void Phone::upgrade() {
    if (!keeping_.is_kept()) {
        tell("error", shell::Tone::bad,
             "nobody would start the phone again: run it with --keep, or under systemd");
        return;
    }
    leave(exit_restart_me);
}

void Phone::on_keeper_gone() {
    tell(
        "keeper.gone", shell::Tone::bad,
        "the keeper is dead: calls go on, but nobody holds their sockets any more and nobody would "
        "start the phone again; `detach` and start it anew with --keep when it suits");
}

int Phone::exit_status() const {
    if (ended_by_) {
        return exit_signal_base + *ended_by_;
    }
    const bool is_drill_lost = drill_ && drill_->is_lost();
    if (is_drill_lost || (board_ && board_->ledger().count(call::Verdict::lost) > 0)) {
        return exit_call_lost;
    }
    return failures_ > 0 ? exit_command_failed : exit_success;
}

} // namespace revenant::app
