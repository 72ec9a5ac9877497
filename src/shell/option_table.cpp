#include "shell/option_table.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/kill_point.hpp"
#include "revenant/shell/options.hpp"
#include "shell/option_apply.hpp"

namespace revenant::shell {

namespace {

using base::Death;
using base::KillPoint;

// The defaults that the help tells are those of Options.
constexpr std::array identity_rows{
    OptionRow{.name = "aor",
              .argument = "URI",
              .environment = "REVENANT_AOR",
              .help = "who we are: sip:alice@example.org, or with a name '\"Alice\" "
                      "<sip:alice@example.org>'",
              .apply = apply::aor},
    OptionRow{.name = "listen",
              .argument = "ADDR:PORT[;transport=udp|tcp]",
              .is_repeatable = true,
              .help = "a numeric address to be reached at (0.0.0.0:5060); repeatable; both "
                      "transports unless one is named; [V6]:PORT for IPv6; port 0: one that is "
                      "free",
              .apply = apply::listen},
    OptionRow{.name = "outbound-proxy",
              .alias = "proxy",
              .letter = 'p',
              .argument = "URI",
              .environment = "REVENANT_PROXY",
              .has_no = true,
              .help = "send requests outside of dialogs through this proxy",
              .apply = apply::outbound_proxy},
    OptionRow{.name = "credentials",
              .argument = "FILE",
              .has_no = true,
              .help = "lines REALM:USER:PASSWORD; the file's mode is 0600",
              .apply = apply::credentials},
    OptionRow{.name = "state",
              .argument = "DIR",
              .environment = "REVENANT_STATE",
              .help = "where the calls are kept ($XDG_STATE_HOME/revenant or "
                      "~/.local/state/revenant); 'auto': a directory of its own for each aor, or "
                      "else for each address to listen at",
              .apply = apply::state},
    OptionRow{.name = "config",
              .argument = "FILE",
              .has_key = false,
              .has_no = true,
              .help = "a file with options ($XDG_CONFIG_HOME/revenant/revenant.conf or "
                      "~/.config/revenant/revenant.conf, if there is one); --no-config: none",
              .apply = apply::config},
};

constexpr std::array call_rows{
    OptionRow{.name = "auto-answer",
              .alias = "autoanswer",
              .letter = 'a',
              .takes = Takes::optional_value,
              .argument = "STATUS",
              .group = Group::calls,
              .help = "answer each call at once, with 200 or this status",
              .apply = apply::auto_answer},
    OptionRow{.name = "resume",
              .argument = "auto|ask|never",
              .group = Group::calls,
              .help = "what to do with the calls of a killed phone: take them up at once, wait for "
                      "'reinvite' (the default), or leave them",
              .apply = apply::resume},
    OptionRow{.name = "resume-deadline",
              .argument = "SECONDS",
              .group = Group::calls,
              .help = "how long to try, 1 to 3600 (32)",
              .apply = apply::number<&Options::resume_deadline_s, 1, 3600>},
    OptionRow{.name = "session-expires",
              .argument = "SECONDS",
              .group = Group::calls,
              .help = "refresh interval, 90 to 86400 (1800); 0: none",
              .apply = apply::session_expires},
    OptionRow{.name = "max-calls",
              .argument = "COUNT",
              .group = Group::calls,
              .help = "how many may ring at a time, 1 to 10000 (64); who comes beyond hears that "
                      "we are busy",
              .apply = apply::number<&Options::ringing_max, 1, 10000>},
    OptionRow{.name = "no-answer",
              .argument = "SECONDS",
              .group = Group::calls,
              .help = "how long they may ring, to 86400 (180); 0: no limit",
              .apply = apply::number<&Options::no_answer_s, 0, 86400>},
    OptionRow{.name = "durable",
              .takes = Takes::nothing,
              .group = Group::calls,
              .help = "survive a power cut too: fsync each record",
              .apply = apply::turn_on<&Options::durable>},
    OptionRow{.name = "keep",
              .takes = Takes::nothing,
              .group = Group::calls,
              .help = "run under revenant-keeper: it holds the sockets and starts the phone again "
                      "when it dies",
              .apply = apply::turn_on<&Options::keep>},
    OptionRow{.name = "journal",
              .takes = Takes::nothing,
              .is_on_by_default = true,
              .group = Group::calls,
              .help = "store nothing: calls end with the program",
              .apply = apply::turn_off<&Options::no_journal>},
};

constexpr std::array media_rows{
    OptionRow{.name = "audio",
              .argument = "SOURCE[,SINK]",
              .environment = "REVENANT_AUDIO",
              .group = Group::media,
              .help = "silence, tone:HZ, file:PATH.wav or echo; null or file:PATH.wav "
                      "(silence,null); %c in the latter is the call's number",
              .apply = apply::audio},
    OptionRow{.name = "codecs",
              .argument = "NAME[,NAME]...",
              .group = Group::media,
              .help = "in order of preference, like PCMA,PCMU",
              .apply = apply::codecs},
    OptionRow{.name = "rtp-ports",
              .argument = "MIN-MAX",
              .group = Group::media,
              .help = "MIN even (20000-29999)",
              .apply = apply::rtp_ports},
};

constexpr std::array script_rows{
    OptionRow{.name = "command",
              .letter = 'c',
              .argument = "COMMAND",
              .has_key = false,
              .group = Group::scripts,
              .help = "run COMMAND; repeatable, in order with -f",
              .apply = apply::command},
    OptionRow{.name = "file",
              .letter = 'f',
              .argument = "FILE",
              .has_key = false,
              .group = Group::scripts,
              .help = "run the commands in FILE; '-' is stdin",
              .apply = apply::file},
    OptionRow{.name = "keep-going",
              .takes = Takes::nothing,
              .group = Group::scripts,
              .help = "go on after a command that failed",
              .apply = apply::turn_on<&Options::keep_going>},
    OptionRow{.name = "interactive",
              .takes = Takes::nothing,
              .group = Group::scripts,
              .help = "stay at the prompt after the script; from a stdin that is no terminal, take "
                      "each command as it comes",
              .apply = apply::turn_on<&Options::interactive>},
    OptionRow{.name = "bell",
              .takes = Takes::nothing,
              .is_on_by_default = true,
              .group = Group::scripts,
              .help = "do not ring the terminal's bell for a call",
              .apply = apply::turn_on<&Options::bell>},
    OptionRow{.name = "json",
              .takes = Takes::nothing,
              .group = Group::scripts,
              .help = "one JSON object a line instead of text",
              .apply = apply::turn_on<&Options::json>},
    OptionRow{.name = "verbose",
              .letter = 'v',
              .takes = Takes::count,
              .argument = "0|1|2",
              .group = Group::scripts,
              .help = "say more; -vv: much more",
              .apply = apply::verbose},
    OptionRow{.name = "help",
              .letter = 'h',
              .takes = Takes::nothing,
              .has_key = false,
              .group = Group::scripts,
              .help = "print this",
              .apply = apply::turn_on<&Options::help>},
    OptionRow{.name = "version",
              .takes = Takes::nothing,
              .has_key = false,
              .group = Group::scripts,
              .help = "print the version",
              .apply = apply::turn_on<&Options::version>},
};

constexpr OptionRow test_row(std::string_view name,
                             std::string_view argument,
                             std::string_view help,
                             base::Status (*apply)(Draft&, const Said&)) {
    return {.name = name,
            .argument = argument,
            .has_key = false,
            .group = Group::tests,
            .help = help,
            .apply = apply};
}

constexpr std::array test_rows{
    test_row("die-before-effect",
             "N",
             "SIGKILL before the Nth effect",
             apply::die<KillPoint::before_effect, Death::kill>),
    test_row("die-after-effect",
             "N",
             "SIGKILL after the Nth effect",
             apply::die<KillPoint::after_effect, Death::kill>),
    test_row("die-after-send",
             "N",
             "SIGKILL after the Nth message",
             apply::die<KillPoint::after_send, Death::kill>),
    test_row("hang-before-effect",
             "N",
             "an endless loop before the Nth effect",
             apply::die<KillPoint::before_effect, Death::hang>),
    test_row("hang-after-effect",
             "N",
             "an endless loop after the Nth effect",
             apply::die<KillPoint::after_effect, Death::hang>),
    test_row("hang-after-send",
             "N",
             "an endless loop after the Nth message",
             apply::die<KillPoint::after_send, Death::hang>),
    test_row("crash-at",
             "STEP:CALL[:HOW]",
             "crash whenever the step is taken for the call",
             apply::crash_at),
    test_row("store-delay",
             "MS[,early|late]",
             "each record is stored that late at most; early: at once, and it is said late",
             apply::store_delay),
};

template <std::size_t... sizes>
consteval auto joined(const std::array<OptionRow, sizes>&... parts) {
    std::array<OptionRow, (sizes + ...)> all{};
    std::size_t at = 0;
    const auto append = [&](const auto& rows) {
        for (const OptionRow& row : rows) {
            all[at++] = row;
        }
    };
    (append(parts), ...);
    return all;
}

constexpr auto everybodys = joined(identity_rows, call_rows, media_rows, script_rows);
constexpr auto in_test_builds = joined(everybodys, test_rows);

constexpr std::array documented{Group::identity, Group::calls, Group::media, Group::scripts};

} // namespace

std::span<const OptionRow> option_table() {
    if constexpr (base::has_kill_points) {
        return in_test_builds;
    }
    return everybodys;
}

const OptionRow* find_option(std::string_view name) {
    const auto table = option_table();
    const auto found = std::ranges::find(table, name, &OptionRow::name);
    return found != table.end() ? &*found : nullptr;
}

bool is_negatable(const OptionRow& row) {
    return row.has_no || (row.takes != Takes::value && row.has_key);
}

std::vector<std::string> choices(const OptionRow& row) {
    std::vector<std::string> words;
    const bool are_words = row.argument.find('|') != std::string_view::npos &&
                           std::ranges::none_of(row.argument, [](char c) {
                               return (c >= 'A' && c <= 'Z') || c == '[';
                           });
    for (std::string_view rest = are_words ? row.argument : ""; !rest.empty();) {
        const std::size_t end = std::min(rest.find('|'), rest.size());
        words.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return words;
}

std::string synopsis(const OptionRow& row) {
    std::string out = row.letter != '\0' ? std::string{'-', row.letter} + ", --" : "--";
    out += row.is_on_by_default ? "no-" : "";
    out += row.name;
    switch (row.takes) {
    case Takes::nothing:
    case Takes::count: return out;
    case Takes::optional_value: return out.append("[=").append(row.argument).append("]");
    case Takes::value: break;
    }
    return out.append(choices(row).empty() ? " " : "=").append(row.argument);
}

std::string_view heading(Group group) {
    switch (group) {
    case Group::identity: return "Who and where";
    case Group::calls: return "Calls";
    case Group::media: return "Media";
    case Group::scripts: return "Scripts and output";
    case Group::tests: break;
    }
    return "Test builds";
}

std::span<const Group> documented_groups() {
    return documented;
}

} // namespace revenant::shell
