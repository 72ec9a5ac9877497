#include "revenant/shell/script.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
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
         std::function<void(std::size_t)> end,
         bool say)
        : table{commands}, lines{std::move(script)},
          keep_going{go_on}, on_end{std::move(end)}, echo{say} {}

    const Table& table;
    std::vector<ScriptLine> lines;
    bool keep_going;
    std::function<void(std::size_t)> on_end;
    bool echo;
    std::size_t next = 0;
    std::size_t failures = 0;
    base::Source turn;

    // One line for each turn of the main loop: nothing recurses, however many finish at once, and
    // the calls get their turns in between.
    void schedule() {
        // SAFETY: the source is ours and goes with us.
        turn = base::when_idle([this] { run_next(); });
    }

    void run_next() {
        const auto self = shared_from_this(); // on_end or a command may destroy the Script
        if (next == lines.size() || (failures > 0 && !keep_going)) {
            const auto end = std::exchange(on_end, {});
            if (end) {
                end(failures);
            }
            return;
        }
        const std::size_t index = next++;
        if (echo) {
            announce(lines[index]);
        }
        const std::weak_ptr<Body> weak = self;
        table.run_line(lines[index].text, [weak, index](const base::Status& status) {
            // Gone, or called a second time by a command that is in error: nothing to go on with.
            const auto body = weak.lock();
            if (body && body->next == index + 1 && !body->finished(index)) {
                body->finish(index, status);
            }
        });
    }

    [[nodiscard]] bool finished(std::size_t index) const { return done == index + 1; }

    void finish(std::size_t index, const base::Status& status) {
        done = index + 1;
        if (!status) {
            ++failures;
            print(failure_notice(status.error(), lines[index].origin));
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

    std::size_t done = 0; // lines that have finished
};

Script::Script(const Table& table,
               std::vector<ScriptLine> lines,
               bool keep_going,
               std::function<void(std::size_t failures)> on_end,
               bool echo)
    // shared_ptr: see Body.
    : body_{std::make_shared<Body>(table, std::move(lines), keep_going, std::move(on_end), echo)} {}

Script::~Script() {
    body_->turn.reset();
    body_->on_end = {};
}

void Script::start() {
    body_->schedule();
}

} // namespace revenant::shell
