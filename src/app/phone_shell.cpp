// The phone's shell: prompt, script, and the commands about the program itself.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "app/phone.hpp"
#include "app/wait_conditions.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"
#include "revenant/shell/script.hpp"

namespace revenant::app {

void Phone::begin_shell() {
    // A script is run by the first life only: a second one would make its calls again.
    const bool is_scripted = !options_.script.empty() && !keeping_.is_return();
    if (is_scripted) {
        script_ = std::make_unique<shell::Script>(
            table_, options_.script, options_.keep_going,
            [this](std::size_t failures) {
                failures_ += failures;
                if (!options_.interactive) {
                    begin_quit();
                }
            },
            options_.verbosity > 0);
        const bool restoring = std::ranges::any_of(board_->calls(), [](const auto& entry) {
            return entry.second.state == call::State::restoring ||
                   entry.second.state == call::State::idle;
        });
        if (!restoring) {
            script_->start(); // else when the last call is restored
        }
    }
    if (!options_.interactive && !options_.script.empty()) {
        signals_.push_back(base::on_signal(SIGINT, [this] {
            failures_ += 1;
            begin_quit();
        }));
        return;
    }
    shell::Prompt::Hooks hooks;
    hooks.on_line = [this](const std::string& line) { on_line(line); };
    hooks.on_end = [this] {
        // A service has no input to end; it lives until it is told otherwise. So does a phone whose
        // keeper is dead: the shell that had started it has taken the terminal back.
        const bool is_orphan = keeping_.was_kept() && !keeping_.is_kept();
        const bool has_terminal = ::isatty(STDIN_FILENO) != 0;
        const bool is_ours = has_terminal && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
        if (is_orphan ? is_ours : !keeping_.is_kept() || has_terminal) {
            begin_quit();
        } else if (is_orphan) {
            prompt_.reset();
        }
    };
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
    hooks.text = [this] {
        const std::size_t count = board_->calls().size();
        return count == 0 ? std::string{"revenant> "}
                          : fmt::format("revenant ({} call{})> ", count, count == 1 ? "" : "s");
    };
    hooks.on_typing = [this](std::string_view typed, std::size_t cursor) {
        const bool may = may_outlive_us(typed);
        keeping_.slate().keep_line(may ? typed : "", may ? cursor : 0);
    };
    if (auto [typed, cursor] = keeping_.slate().kept_line(); may_outlive_us(typed)) {
        hooks.typed = std::move(typed);
        hooks.cursor = cursor;
    }
    prompt_ = shell::Prompt::open(table_, std::move(hooks), options_.state_directory + "/history");
    board_->on_change = [this] {
        if (prompt_) {
            prompt_->refresh();
        }
    };
}

// As in the history: no secret, nothing that begins with a blank, and no unknown command, which may
// be a secret one mistyped. What was pasted is looked at line by line.
bool Phone::may_outlive_us(std::string_view typed) const {
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

void Phone::on_line(const std::string& line) {
    // What fails at once has not been told yet; what fails later has, by the call's own notices.
    auto later = std::make_shared<bool>(false);
    table_.run_line(line, [this, later, line](const base::Status& status) {
        if (!status) {
            failures_ += options_.json || !prompt_ ? 1U : 0U;
        }
        if (options_.json) {
            if (status) {
                shell::print({.event = "ok",
                              .call = std::nullopt,
                              .tone = shell::Tone::faint,
                              .text = {},
                              .fields = {{"command", table_.is_secret(line) ? "" : line}}});
            } else {
                shell::Notice failure = shell::failure_notice(status.error());
                failure.fields.emplace_back("command", table_.is_secret(line) ? "" : line);
                shell::print(failure);
            }
        } else if (!status && !*later) {
            shell::print(shell::failure_notice(status.error()));
        }
    });
    *later = true;
}

void Phone::add_program_commands() {
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
        [this](const Arguments&, const Done&) { detach(); });
    add("upgrade", {}, "", "start the program anew under its keeper; calls live on", 0,
        [this](const Arguments&, const Done& done) {
            upgrade(); // comes back only if it cannot
            done(base::fail(base::Errc::not_now, "there is no keeper"));
        });
    add("quit", {"q", "x", "exit"}, "", "say BYE to all and leave", 0,
        [this](const Arguments&, const Done& done) {
            done({});
            begin_quit();
        });
    add("help", {"h", "?"}, "[COMMAND]", "this list, or one command", 1,
        [this](const Arguments& arguments, const Done& done) {
            const auto text = arguments.empty() ? base::Result<std::string>{table_.help()}
                                                : table_.help(arguments[0]);
            if (text) {
                Phone::tell("help", shell::Tone::plain, *text);
            }
            done(text ? base::Status{} : base::fail(text.error()));
        });
}

} // namespace revenant::app
