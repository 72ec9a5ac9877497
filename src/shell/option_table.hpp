// Every option of the program, said once: the command line, the environment, the configuration
// file, --help, the manual pages and the completion of shells are all made of these rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::shell {

enum class Group : std::uint8_t { identity, calls, media, scripts, tests };

enum class Takes : std::uint8_t {
    nothing,        // a switch; in a file: true or false
    count,          // -v, -vv; in a file: a number
    optional_value, // --auto-answer[=STATUS]; in a file: true, false or the value
    value,
};

// Where something was said; what is greater wins.
enum class Origin : std::uint8_t { nowhere, file, environment, command_line };

struct Said {
    std::string name; // for errors: "--aor", "REVENANT_AOR", "/etc/revenant.conf:3: aor"
    std::string_view text = {};
    bool is_on = true; // false: --no-NAME, or NAME = false
    Origin origin = Origin::command_line;
};

struct ScriptSource {
    bool is_file = false; // -f, else -c
    std::string text;
};

// What the options are put into.
struct Draft {
    Options options;
    std::vector<ScriptSource> sources; // in the order given
    std::string config_path;           // --config FILE
    bool reads_config = true;          // --no-config
};

struct OptionRow {
    std::string_view name = {};  // --NAME, and the key in a file
    std::string_view alias = {}; // --ALIAS: sofsip_cli's name for it
    char letter = '\0';          // -L
    Takes takes = Takes::value;
    std::string_view argument = {};    // "URI"; words with '|' between are all that there are
    std::string_view environment = {}; // the variable that counts where the option is not given
    bool has_key = true;               // whether a configuration file may have it
    bool has_no = false;               // --no-NAME; switches have it anyway
    bool is_on_by_default = false;
    bool is_repeatable = false; // in a file: several values with blanks between
    Group group = Group::identity;
    std::string_view help = {};
    base::Status (*apply)(Draft&, const Said&) = nullptr;
};

// In the order of --help.
[[nodiscard]] std::span<const OptionRow> option_table();

[[nodiscard]] const OptionRow* find_option(std::string_view name);

[[nodiscard]] bool is_negatable(const OptionRow& row);

// The words of "auto|ask|never", or none where the argument is anything else.
[[nodiscard]] std::vector<std::string> choices(const OptionRow& row);

// "-p, --outbound-proxy URI", "--no-bell": as --help and the manual show it.
[[nodiscard]] std::string synopsis(const OptionRow& row);

// "Who and where"
[[nodiscard]] std::string_view heading(Group group);

// The groups that people are told of.
[[nodiscard]] std::span<const Group> documented_groups();

} // namespace revenant::shell
