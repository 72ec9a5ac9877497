// --help.
#include <cstddef>
#include <string>
#include <string_view>

#include "revenant/shell/options.hpp"
#include "shell/columns.hpp"
#include "shell/option_table.hpp"

namespace revenant::shell {

namespace {

constexpr std::size_t page_width = 80;
constexpr std::size_t left_width = 25;

// "REVENANT_AOR, REVENANT_PROXY"
std::string variables() {
    std::string names;
    for (const OptionRow& row : option_table()) {
        if (!row.environment.empty()) {
            names.append(names.empty() ? "" : ", ").append(row.environment);
        }
    }
    return names;
}

} // namespace

std::string usage() {
    std::string out = R"(usage: revenant [OPTION]... [-c COMMAND]... [-f FILE]...

A SIP softphone whose calls survive its own death: kill it, start it again with
the same --state, and the calls go on.
)";
    for (const Group group : documented_groups()) {
        out.append("\n").append(heading(group)).append("\n");
        for (const OptionRow& row : option_table()) {
            if (row.group == group) {
                out += two_columns(synopsis(row), row.help, left_width, page_width);
            }
        }
    }
    out += "\n" + wrapped("What the command line does not say is taken from the environment (" +
                              variables() +
                              "), then from the configuration file: a line [phone], and lines "
                              "like 'audio = echo' or 'durable = true' below it. --no-durable "
                              "and the like take back what a file has switched on. NO_COLOR turns "
                              "colour off.",
                          0, page_width);
    return out + R"(
Without -c and -f the prompt comes up; 'help' there lists the commands. What
comes from a stdin that is no terminal is a script.
)";
}

} // namespace revenant::shell
