#include "revenant/shell/script.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "shell/slurp.hpp"

namespace revenant::shell {

namespace {

constexpr std::size_t script_size_max = std::size_t{16} << 20U;

base::Result<std::string> read_file(const std::string& path) {
    if (path == "-") {
        return slurp(STDIN_FILENO, script_size_max);
    }
    const base::Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!fd) {
        return base::fail(errno == ENOENT ? base::Errc::not_found : base::Errc::io,
                          std::generic_category().message(errno));
    }
    return slurp(fd.get(), script_size_max);
}

} // namespace

base::Result<std::vector<ScriptLine>> read_script(const std::string& path) {
    const std::string shown = path == "-" ? "stdin" : base::printable(path);
    auto text = read_file(path);
    if (!text) {
        return base::fail(text.error().code,
                          "cannot read the script " + shown + ": " + text.error().context);
    }
    std::string_view rest = *text;
    if (rest.starts_with("\xEF\xBB\xBF")) {
        rest.remove_prefix(3); // a byte order mark, as some editors leave it
    }
    std::vector<ScriptLine> lines;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        // Blanks at the end stay: the last may be escaped.
        std::string_view line = rest.substr(0, end);
        line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
        if (!line.empty() && !line.starts_with('#')) {
            line.remove_suffix(line.ends_with('\r') ? 1 : 0);
            lines.push_back(
                {.text = std::string{line}, .origin = shown + ":" + std::to_string(number)});
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

// Shared with the Done of the line that runs, which may come after the Script has gone.
struct Script::Body : std::enable_shared_from_this<Script::Body> {
    Body(const Table& commands,
         std::vector<ScriptLine> script,
         bool go_on,
         Hooks what_then,
         bool say)
        : table{commands}, keep_going{go_on}, hooks{std::move(what_then)}, echo{say} {
        for (ScriptLine& line : script) {
            waiting_size += line.text.size();
            waiting.push_back(std::move(line));
        }
    }

    const Table& table;
    std::deque<ScriptLine> waiting;
    std::size_t waiting_size = 0; // bytes
    bool keep_going;
    Hooks hooks;
    bool echo;
    bool is_started = false;
    bool is_running = false; // a line
    bool more_comes = false;
    std::size_t count = 0; // of lines begun
    std::size_t failures = 0;
    base::Source turn;

    // One line for each turn of the main loop: nothing recurses, however many finish at once, and
    // the calls get their turns in between.
    void schedule() {
        if (is_started && !is_running && !turn) {
            // SAFETY: the source is ours and goes with us.
            turn = base::when_idle([this] {
                turn.reset();
                run_next();
            });
        }
    }

    void run_next() {
        const auto self = shared_from_this(); // on_end or a command may destroy the Script
        if (failures > 0 && !keep_going) {
            waiting.clear();
            more_comes = false;
        }
        if (waiting.empty()) {
            const auto end = more_comes ? nullptr : std::exchange(hooks.on_end, {});
            if (end) {
                end(failures);
            }
            return;
        }
        const ScriptLine line = std::move(waiting.front());
        waiting.pop_front();
        waiting_size -= line.text.size();
        const std::size_t index = ++count;
        is_running = true;
        if (echo) {
            announce(line);
        }
        const std::weak_ptr<Body> weak = self;
        table.run_line(line.text, [weak, index, line](const base::Status& status) {
            // Gone, or called a second time by a command that is in error: nothing to go on with.
            const auto body = weak.lock();
            if (body && body->count == index && std::exchange(body->is_running, false)) {
                body->finish(line, status);
            }
        });
    }

    void finish(const ScriptLine& line, const base::Status& status) {
        failures += status ? 0U : 1U;
        if (hooks.on_result) {
            const auto on_result = hooks.on_result;
            on_result(line, status);
        } else if (!status) {
            print(failure_notice(status.error(), line.origin));
        }
        schedule();
    }

    void announce(const ScriptLine& line) const {
        std::string text = line.text;
        if (table.is_secret(text)) {
            text = text.substr(0, text.find_first_of(" \t")) + " …";
        }
        print({.event = "script.line",
               .call = {},
               .tone = Tone::faint,
               .text = line.origin + ": " + text,
               .fields = {{"origin", line.origin}, {"line", text}}});
    }
};

Script::Script(
    const Table& table, std::vector<ScriptLine> lines, bool keep_going, Hooks hooks, bool echo)
    // shared_ptr: see Body.
    : body_{std::make_shared<Body>(table, std::move(lines), keep_going, std::move(hooks), echo)} {}

Script::~Script() {
    body_->turn.reset();
    body_->is_started = false;
    body_->hooks = {};
}

void Script::start() {
    body_->is_started = true;
    body_->schedule();
}

void Script::expect_more() {
    body_->more_comes = true;
}

base::Status Script::add(ScriptLine line) {
    if (body_->waiting_size + line.text.size() > script_size_max) {
        return base::fail(base::Errc::bad_input, line.origin + ": more than 16 MiB of commands "
                                                               "wait to be run");
    }
    body_->waiting_size += line.text.size();
    body_->waiting.push_back(std::move(line));
    body_->schedule();
    return {};
}

void Script::no_more() {
    body_->more_comes = false;
    body_->schedule();
}

} // namespace revenant::shell
