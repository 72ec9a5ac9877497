#include "app/console.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/commands/wait_conditions.hpp"
#include "app/notices.hpp"
#include "app/prompt_text.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"
#include "revenant/shell/script.hpp"

namespace revenant::app {

namespace {

constexpr std::uint32_t prompt_refresh_ms = 20;

} // namespace

Console::Console(const shell::Options& options, Keeping& keeping, Switchboard& board, Hooks hooks)
    : options_{&options}, keeping_{&keeping}, board_{&board}, hooks_{std::move(hooks)} {}

void Console::begin_service() {
    in_service_ = true;
    if (script_) {
        script_->start();
    }
}

bool Console::is_stdin_script() const {
    return options_->reads_stdin && ::isatty(STDIN_FILENO) == 0;
}

void Console::begin() {
    // A script is run by the first life only: a second one would make its calls again.
    if (options_->is_scripted && !keeping_->is_return()) {
        begin_script({}, options_->interactive);
    }
    if (is_stdin_script()) {
        begin_stdin_script();
    } else if (options_->interactive) {
        begin_prompt();
    }
}

void Console::begin_script(
    std::function<void(const shell::ScriptLine&, const base::Status&)> on_result, bool stays) {
    script_ = std::make_unique<shell::Script>(
        table_, options_->script, options_->keep_going,
        shell::Script::Hooks{.on_end =
                                 [this, stays](std::size_t failures) {
                                     failures_ += failures;
                                     is_scripted_ = false;
                                     if (!stays) {
                                         hooks_.quit();
                                     }
                                 },
                             .on_result = std::move(on_result)},
        options_->verbosity > 0);
    is_scripted_ = true;
    if (in_service_) {
        script_->start(); // else as soon as it is so
    }
}

void Console::begin_stdin_script() {
    begin_script(
        [this](const shell::ScriptLine& line, const base::Status& status) {
            if (options_->json) {
                tell_result(line.text, status);
            } else if (!status) {
                shell::print(shell::failure_notice(status.error(), line.origin));
            }
        },
        false);
    script_->expect_more();
    auto count = std::make_shared<std::size_t>(0);
    shell::Prompt::Hooks hooks;
    hooks.on_line = [this, count](const std::string& line) {
        if (base::trim(line).starts_with('#')) {
            return;
        }
        const auto added =
            script_->add({.text = line, .origin = fmt::format("stdin, command {}", ++*count)});
        if (!added) {
            shell::print(shell::failure_notice(added.error()));
            failures_ += 1;
            hooks_.quit();
        }
    };
    hooks.on_end = [this, count] {
        // A service has no input, which ends nothing: it lives until it is told otherwise.
        struct stat input {};
        const bool is_device = ::fstat(STDIN_FILENO, &input) == 0 && S_ISCHR(input.st_mode);
        if (keeping_->is_kept() && is_device && *count == 0) {
            is_scripted_ = false;
        } else {
            script_->no_more();
        }
    };
    prompt_ = shell::Prompt::open(table_, std::move(hooks), {});
}

void Console::begin_prompt() {
    shell::Prompt::Hooks hooks;
    hooks.on_line = [this](const std::string& line) { on_line(line); };
    hooks.on_end = [this] { on_end_of_input(); };
    hooks.on_hang_up = [this] { hooks_.detach(); };
    hooks.call_ids = [this] {
        std::vector<std::string> ids;
        for (const auto& [number, call] : board_->calls()) {
            ids.push_back(std::to_string(number));
        }
        return ids;
    };
    hooks.uris = [this] {
        std::vector<std::string> uris;
        for (const auto& [number, call] : board_->calls()) {
            uris.push_back(call.dialog.remote_target);
        }
        return uris;
    };
    hooks.conditions = [] { return wait_conditions(); };
    hooks.text = [this] { return prompt_text(board_->calls()); };
    hooks.on_typing = [this](std::string_view typed, std::size_t cursor) {
        const bool may = may_outlive_us(typed);
        keeping_->slate().keep_line(may ? typed : "", may ? cursor : 0);
    };
    if (auto [typed, cursor] = keeping_->slate().kept_line(); may_outlive_us(typed)) {
        hooks.typed = std::move(typed);
        hooks.cursor = cursor;
    }
    prompt_ = shell::Prompt::open(table_, std::move(hooks), options_->state_directory + "/history");
    // Not for each of thousands of calls that come back: all of them are counted for it.
    board_->on_change = [this] {
        if (!prompt_refresh_) {
            prompt_refresh_ = base::after_ms(prompt_refresh_ms, [this] {
                prompt_refresh_.reset();
                prompt_->refresh();
            });
        }
    };
}

// As in the history: no secret, nothing that begins with a blank, and no unknown command, which may
// be a secret one mistyped. What was pasted is looked at line by line.
bool Console::may_outlive_us(std::string_view typed) const {
    while (!typed.empty()) {
        const std::string_view line = typed.substr(0, typed.find('\n'));
        typed.remove_prefix(std::min(line.size() + 1, typed.size()));
        const std::size_t blank = line.find_first_of(" \t");
        const bool is_known =
            blank == std::string_view::npos || table_.find(line.substr(0, blank)) != nullptr;
        if (blank == 0 || !is_known || table_.is_secret(line)) {
            return false;
        }
    }
    return true;
}

void Console::on_end_of_input() {
    // A service has no input to end; it lives until it is told otherwise. So does a phone whose
    // keeper is dead: the shell that had started it has taken the terminal back.
    const bool is_orphan = keeping_->was_kept() && !keeping_->is_kept();
    const bool is_terminal = ::isatty(STDIN_FILENO) != 0;
    const bool is_ours = is_terminal && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
    if (is_orphan && !is_ours) {
        prompt_.reset();
        return;
    }
    if (keeping_->is_kept() && !is_terminal) {
        return;
    }
    const auto live = std::ranges::count_if(
        board_->calls(), [](const auto& entry) { return entry.second.state != call::State::over; });
    if (!is_terminal || live == 0 || std::exchange(end_was_asked_, true)) {
        hooks_.quit();
        return;
    }
    tell("quit.asked", shell::Tone::attention,
         fmt::format("{} is live: Ctrl-D once more says BYE and quits, `detach` leaves {} to the "
                     "next start",
                     live == 1 ? std::string{"a call"} : fmt::format("{} calls", live),
                     live == 1 ? "it" : "them"));
}

void Console::on_line(const std::string& line) {
    end_was_asked_ = false;
    // What fails at once has not been told yet; what fails later has, by the call's own notices.
    auto later = std::make_shared<bool>(false);
    table_.run_line(line, [this, later, line](const base::Status& status) {
        if (!status) {
            failures_ += options_->json || !prompt_ ? 1U : 0U;
        }
        if (options_->json) {
            tell_result(line, status);
        } else if (!status && !*later) {
            shell::print(shell::failure_notice(status.error()));
        }
    });
    *later = true;
}

void Console::tell_result(const std::string& line, const base::Status& status) const {
    shell::Notice notice = status ? shell::Notice{.event = "ok",
                                                  .call = std::nullopt,
                                                  .tone = shell::Tone::faint,
                                                  .text = {},
                                                  .fields = {}}
                                  : shell::failure_notice(status.error());
    notice.fields.emplace_back("command", table_.is_secret(line) ? "" : line);
    shell::print(notice);
}

void Console::add_program_commands() {
    using shell::Arguments;
    using shell::Done;
    const auto add = [this](const char* name, std::vector<std::string> aliases,
                            const char* arguments, const char* help, std::size_t most,
                            std::function<void(const Arguments&, Done)> run) {
        table_.add({.name = name,
                    .aliases = std::move(aliases),
                    .arguments = arguments,
                    .help = help,
                    .group = "Program",
                    .arguments_min = 0,
                    .arguments_max = most,
                    .completes = {shell::Completes::command},
                    .words = {},
                    .secret = false,
                    .run = std::move(run)});
    };
    add("detach", {}, "", "leave the program, leave the calls alive", 0,
        [this](const Arguments&, const Done&) { hooks_.detach(); });
    add("upgrade", {}, "", "start the program anew under its keeper; calls live on", 0,
        [this](const Arguments&, const Done& done) {
            hooks_.upgrade(); // comes back only if it cannot
            done(base::fail(base::Errc::not_now, "there is no keeper"));
        });
    add("quit", {"q", "x", "exit"}, "", "say BYE to all and leave", 0,
        [this](const Arguments&, const Done& done) {
            done({});
            hooks_.quit();
        });
    add("help", {"h", "?"}, "[COMMAND]", "this list, or one command", 1,
        [this](const Arguments& arguments, const Done& done) {
            const auto text = arguments.empty() ? base::Result<std::string>{table_.help()}
                                                : table_.help(arguments[0]);
            if (text) {
                const shell::Notice notice{.event = "help",
                                           .call = std::nullopt,
                                           .tone = shell::Tone::plain,
                                           .text = *text,
                                           .fields = {}};
                prompt_ ? prompt_->page(notice) : shell::print(notice);
            }
            done(text ? base::Status{} : base::fail(text.error()));
        });
}

} // namespace revenant::app
