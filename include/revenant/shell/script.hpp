// Commands from -c and -f, run in order, each after the one before has finished.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::shell {

// A line and where it came from: "-c 2", "calls.txt:7".
struct ScriptLine {
    std::string text;
    std::string origin;

    friend bool operator==(const ScriptLine&, const ScriptLine&) = default;
};

// Reads a script file ("-": stdin to its end, which waits for it), at most 16 MiB. Blank lines and
// comments are left out. Errors name file and reason.
[[nodiscard]] base::Result<std::vector<ScriptLine>> read_script(const std::string& path);

class Script {
public:
    struct Hooks {
        // Called once, from the main loop, after the last line, or after the first failure unless
        // the script keeps going; it may destroy the script. A script that is destroyed earlier
        // stops without it.
        std::function<void(std::size_t failures)> on_end;
        // What came of a line. Empty: a failure is printed as a notice "error",
        // `origin: message`, with "origin" and "code".
        std::function<void(const ScriptLine& line, const base::Status& status)> on_result = {};
    };

    // `table` must outlive the script. With `echo` (-v) each line is printed before it runs, as a
    // faint notice "script.line"; of a secret command only the name.
    Script(const Table& table,
           std::vector<ScriptLine> lines,
           bool keep_going,
           Hooks hooks,
           bool echo = false);
    ~Script();
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    // Returns at once; each line runs from the main loop.
    void start();

    // For lines that come one by one: between `expect_more` and `no_more` the script does not end
    // for want of a line. Errc::bad_input when more than 16 MiB wait to be run.
    void expect_more();
    [[nodiscard]] base::Status add(ScriptLine line);
    void no_more();

private:
    struct Body;
    std::shared_ptr<Body> body_; // shared with the Done of the command that runs
};

} // namespace revenant::shell
