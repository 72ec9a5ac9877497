#include "app/phone.hpp"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "app/comeback.hpp"
#include "app/commands/call_commands.hpp"
#include "app/commands/wait_conditions.hpp"
#include "app/media_options.hpp"
#include "app/switchboard.hpp"
#include "revenant/app/phone.hpp"
#include "revenant/base/descriptors.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"
#include "revenant/sip/library.hpp"

namespace revenant::app {

namespace {

// Nothing has been said to anyone; records stay for the next start.
[[noreturn]] void refuse(const shell::Options& options, const base::Error& error, int status) {
    if (options.json) { // for the program that reads stdout; people look at stderr
        shell::print(shell::failure_notice(error));
    }
    shell::flush_output();
    static_cast<void>(std::fprintf(stderr, "revenant: %s\n", error.context.c_str()));
    ::_exit(status);
}

} // namespace

void tell_lacking(const base::Error& error) {
    shell::print({.event = "start.lacking",
                  .call = std::nullopt,
                  .tone = shell::Tone::bad,
                  .text = error.context,
                  .fields = {{"code", std::string{shell::code_name(error.code)}}}});
}

void Phone::EndLoop::operator()(_GMainLoop* loop) const {
    g_main_loop_unref(loop);
}

base::Status Phone::open() {
    if (base::Status fits = sip::check_library(); !fits) {
        return fits;
    }
    loop_.reset(g_main_loop_new(nullptr, FALSE));
    keeping_.begin_beating();
    keeping_.hold_configuration(options_.configuration);
    if (keeping_.is_kept() && !options_.resume_given) {
        options_.resume = shell::Resume::automatic;
    }
    if (options_.die_count > 0 && !keeping_.is_return()) { // once, not in every life
        base::die_at(options_.die_at, options_.die_count, options_.death);
    }
    // Sound first: a stream that goes on at once loses the fewest packets.
    for (const auto step : {&Phone::open_records, &Phone::open_media, &Phone::open_board,
                            &Phone::take_over, &Phone::open_sip}) {
        if (base::Status done = (this->*step)(); !done) {
            return done;
        }
    }
    // In the same turn of the main loop as the bind: what the peer has sent meanwhile is read after
    // the dialogs exist again.
    comeback_->restore([this] { comeback_->go_on([this] { on_in_service(); }); });
    return {};
}

void Phone::on_in_service() {
    in_service_ = true;
    say_ready();
    if (console_) {
        console_->begin_service();
    }
}

void Phone::tell_ready() const {
    std::string where;
    for (const shell::Listen& listen : options_.listen) {
        const bool v6 = listen.address.find(':') != std::string::npos;
        where += fmt::format("{}{}:{}{}", where.empty() ? "" : ", ",
                             v6 ? "[" + listen.address + "]" : listen.address, listen.port,
                             !listen.transport
                                 ? std::string{}
                                 : fmt::format(" ({})", call::transport_name(*listen.transport)));
    }
    shell::print({.event = "ready",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("listening on {}", where),
                  .fields = {{"listen", where},
                             {"pid", static_cast<std::int64_t>(::getpid())},
                             {"found", static_cast<std::int64_t>(found_)}}});
}

void Phone::tell_last_death() const {
    const std::string& death = keeping_.last_death();
    if (!death.empty()) {
        shell::print({.event = "restarted",
                      .call = std::nullopt,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("the phone {}: killed and started again", death),
                      .fields = {{"death", death}}});
    }
}

// READY=1 is for a life that has come up: one that dies while its calls come back has not.
void Phone::say_ready() {
    if (running_ && in_service_) {
        keeping_.say_ready("in service");
    }
}

void Phone::open_console() {
    // SAFETY: neither calls back but from the main loop, or from the other.
    console_ = std::make_unique<Console>(options_, keeping_, *board_,
                                         Console::Hooks{.quit = [this] { exits_->quit(); },
                                                        .detach = [this] { exits_->detach(); },
                                                        .upgrade = [this] { exits_->upgrade(); }});
    exits_ = std::make_unique<Exits>(
        *board_, keeping_,
        Exits::Hooks{.end = [this] { g_main_loop_quit(loop_.get()); },
                     .close_console = [this] { console_->close(); },
                     .is_scripted = [this] { return console_->is_scripted(); },
                     .exit_status = [this] { return exit_status(); }});
    if (!options_.interactive || console_->is_stdin_script()) { // else Ctrl-C is the prompt's
        exits_->take_interrupt();
    }
    if (in_service_) {
        console_->begin_service();
    }
    shell::Table& table = console_->table();
    add_call_commands(table, *board_);
    add_request_commands(table, *board_, *comeback_);
    add_view_commands(table, *board_);
    add_wait_commands(table, *board_);
    console_->add_program_commands();
    drill_ = std::make_unique<Drill>(*board_, keeping_, options_);
    drill_->add_command(table);
}

int Phone::run() {
    open_console();
    tell_ready();
    tell_last_death();
    keeping_.watch_keeper([] { Exits::on_keeper_gone(); });
    running_ = true;
    say_ready();
    drill_->look_back([this] {
        // A script has been killed with the first life; this one has done what was left of it.
        if (!options_.interactive) {
            exits_->quit();
        }
    });
    console_->begin();
    g_main_loop_run(loop_.get());
    keeping_.drop_configuration();
    shell::flush_output();
    return exit_status();
}

int Phone::exit_status() const {
    if (const std::optional<int> signal = exits_->script_ended_by()) {
        return exit_signal_base + *signal;
    }
    if (drill_->is_lost() || board_->ledger().count(call::Verdict::lost) > 0) {
        return exit_call_lost;
    }
    return console_->failures() > 0 ? exit_command_failed : exit_success;
}

int run_phone(const shell::Options& options) {
    shell::set_bell(options.bell && !options.json && ::isatty(STDOUT_FILENO) == 1);
    shell::set_output(options.json ? shell::Format::json : shell::Format::human,
                      !options.json && shell::colour_wanted());
    base::set_log_level(options.verbosity >= 2   ? base::Level::debug
                        : options.verbosity == 1 ? base::Level::info
                                                 : base::Level::warning);
    // A closed pipe or a file size limit is an error to report, no reason to die with live calls.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    base::make_room_for_descriptors();
    base::wait_on_boot_clock();
    Phone phone{options};
    if (const base::Status checked = check_media(options); !checked) {
        if (!phone.is_return()) {
            refuse(options, checked.error(), exit_usage);
        }
        tell_lacking(checked.error()); // calls without sound are calls
    }
    if (const base::Status opened = phone.open(); !opened) {
        refuse(options, opened.error(), exit_command_failed);
    }
    return phone.run();
}

} // namespace revenant::app
