// The program's options, read into values. src/shell/option_table.cpp says what there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/script.hpp"

namespace revenant::shell {

enum class Resume : std::uint8_t { automatic, ask, never };

// One --listen ADDR:PORT[;transport=udp|tcp]; without transport both are opened.
struct Listen {
    std::string address;       // numeric; IPv6 without brackets
    std::uint16_t port = 5060; // 0: one that is free
    std::optional<call::Transport> transport;

    friend bool operator==(const Listen&, const Listen&) = default;
};

// A configuration file as it was read; no path: none was.
struct Configuration {
    std::string path;
    std::string text;

    friend bool operator==(const Configuration&, const Configuration&) = default;
};

// How late the records are stored.
struct StoreDelay {
    std::uint32_t most_ms = 0;
    bool is_written_at_once = true; // what is late is the answer

    friend bool operator==(const StoreDelay&, const StoreDelay&) = default;
};

struct Options {
    std::string aor;            // --aor URI; empty: sip:<user>@<first listen address>
    std::string display_name;   // --aor '"NAME" <URI>'; without quotes
    std::vector<Listen> listen; // --listen, in the order given; empty: 0.0.0.0:5060
    std::string
        state_directory; // --state DIR; default $XDG_STATE_HOME/revenant or ~/.local/state/revenant
    std::string outbound_proxy;     // --outbound-proxy URI
    std::string credentials_path;   // --credentials FILE: lines REALM:USER:PASSWORD, mode 0600
    std::string source = "silence"; // --audio SOURCE[,SINK]
    std::string sink = "null";
    Resume resume = Resume::ask;            // --resume=auto|ask|never
    bool resume_given = false;              // else `automatic` under a keeper
    bool keep = false;                      // --keep
    std::uint32_t resume_deadline_s = 32;   // --resume-deadline SECONDS
    std::uint32_t session_expires_s = 1800; // --session-expires SECONDS, 0: off (RFC 4028)
    std::uint32_t ringing_max = 64;         // --max-calls COUNT
    std::uint32_t no_answer_s = 180;        // --no-answer SECONDS, 0: a call may ring for ever
    std::uint16_t rtp_port_min = 20000;     // --rtp-ports MIN-MAX
    std::uint16_t rtp_port_max = 29999;
    std::optional<std::uint16_t> auto_answer; // --auto-answer[=STATUS]: 200 unless given
    std::vector<std::string> codecs;          // --codecs PCMU,PCMA
    bool durable = false;                     // --durable
    bool no_journal = false;                  // --no-journal
    bool bell = true;                         // --no-bell
    bool json = false;                        // --json
    bool keep_going = false;                  // --keep-going
    bool interactive = false; // stay at the prompt: no script given, or --interactive
    bool reads_stdin = false; // neither: what comes from stdin is a script if no terminal does
    int verbosity = 0;        // -v, -vv
    std::vector<ScriptLine> script; // -c and -f in the order given, files already read
    bool is_scripted = false;       // there is one, perhaps without a single command
    bool help = false;
    bool version = false;
    // Test builds: --die-before-effect, --die-after-effect, --die-after-send N, or --hang-… N;
    // 0: never.
    base::KillPoint die_at = base::KillPoint::after_effect;
    std::uint32_t die_count = 0;
    base::Death death = base::Death::kill;
    base::CrashPoint crash_at;   // test builds: --crash-at
    StoreDelay store_delay;      // test builds: --store-delay
    Configuration configuration; // --config FILE, or the default one; what it says is in the above
};

// From the command line, the environment and the configuration file; who comes first wins.
// `earlier`, where this is a later life of a kept phone, is what the first has read, and counts
// instead of the file; nor is a script needed any more that the first has run. With --keep, and
// without `has_keeper`, scripts are left unread: stdin is for the phone that the keeper will start.
// Errc::bad_input names the option and what it takes. --help and --version win over everything.
[[nodiscard]] base::Result<Options> read_options(int argc,
                                                 const char* const* argv,
                                                 const Configuration* earlier = nullptr,
                                                 bool has_keeper = false);

// What --help prints, for 80 columns.
[[nodiscard]] std::string usage();

} // namespace revenant::shell
