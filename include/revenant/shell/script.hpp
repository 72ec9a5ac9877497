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
};

// Reads a script file ("-": stdin to its end). Errors name file and reason.
[[nodiscard]] base::Result<std::vector<ScriptLine>> read_script(const std::string& path);

class Script {
public:
    // `table` must outlive the script. `on_end(failures)` is called once, from the main loop,
    // after the last line, or after the first failure unless `keep_going`.
    Script(const Table& table, std::vector<ScriptLine> lines, bool keep_going,
           std::function<void(std::size_t failures)> on_end);
    ~Script();
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    void start();

private:
    struct Body;
    std::shared_ptr<Body> body_;
};

} // namespace revenant::shell
