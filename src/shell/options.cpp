#include "revenant/shell/options.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <getopt.h>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/script.hpp"
#include "shell/values.hpp"

namespace revenant::shell {

namespace {

enum Long : int { // getopt_long's; above every short option
    aor = 256,
    listen,
    state,
    credentials,
    audio,
    resume,
    resume_deadline,
    session_expires,
    max_calls,
    no_answer,
    rtp_ports,
    codecs,
    durable,
    no_journal,
    under_keeper,
    json,
    bell,
    no_bell,
    keep_going,
    interactive,
    version,
    die_before_effect,
    die_after_effect,
    die_after_send,
    hang_before_effect,
    hang_after_effect,
    hang_after_send,
    crash_at,
};

constexpr const char* short_options = ":ac:f:hp:v";

constexpr std::array long_options{
    option{"aor", required_argument, nullptr, aor},
    option{"listen", required_argument, nullptr, listen},
    option{"state", required_argument, nullptr, state},
    option{"outbound-proxy", required_argument, nullptr, 'p'},
    option{"proxy", required_argument, nullptr, 'p'}, // sofsip_cli's name
    option{"credentials", required_argument, nullptr, credentials},
    option{"audio", required_argument, nullptr, audio},
    option{"resume", required_argument, nullptr, resume},
    option{"resume-deadline", required_argument, nullptr, resume_deadline},
    option{"session-expires", required_argument, nullptr, session_expires},
    option{"max-calls", required_argument, nullptr, max_calls},
    option{"no-answer", required_argument, nullptr, no_answer},
    option{"rtp-ports", required_argument, nullptr, rtp_ports},
    option{"auto-answer", optional_argument, nullptr, 'a'},
    option{"autoanswer", optional_argument, nullptr, 'a'}, // sofsip_cli's name
    option{"codecs", required_argument, nullptr, codecs},
    option{"durable", no_argument, nullptr, durable},
    option{"no-journal", no_argument, nullptr, no_journal},
    option{"keep", no_argument, nullptr, under_keeper},
    option{"json", no_argument, nullptr, json},
    option{"bell", no_argument, nullptr, bell},
    option{"no-bell", no_argument, nullptr, no_bell},
    option{"keep-going", no_argument, nullptr, keep_going},
    option{"interactive", no_argument, nullptr, interactive},
    option{"verbose", no_argument, nullptr, 'v'},
    option{"command", required_argument, nullptr, 'c'},
    option{"file", required_argument, nullptr, 'f'},
    option{"help", no_argument, nullptr, 'h'},
    option{"version", no_argument, nullptr, version},
#ifdef REVENANT_KILL_POINTS
    option{"die-before-effect", required_argument, nullptr, die_before_effect},
    option{"die-after-effect", required_argument, nullptr, die_after_effect},
    option{"die-after-send", required_argument, nullptr, die_after_send},
    option{"hang-before-effect", required_argument, nullptr, hang_before_effect},
    option{"hang-after-effect", required_argument, nullptr, hang_after_effect},
    option{"hang-after-send", required_argument, nullptr, hang_after_send},
    option{"crash-at", required_argument, nullptr, crash_at},
#endif
    option{nullptr, 0, nullptr, 0},
};

bool is_option(int code) {
    return std::ranges::any_of(
        long_options, [code](const option& o) { return o.name != nullptr && o.val == code; });
}

// The full name of what getopt_long found, for errors.
std::string option_name(int code) {
    for (const option& o : long_options) {
        if (o.name != nullptr && o.val == code) {
            return std::string{"--"} + o.name;
        }
    }
    return std::string{"-"} + static_cast<char>(code);
}

std::string environment(const char* name) {
    // Read at start, before there is a second thread.
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
}

// Puts a value that was read into its place, or hands the error on.
template <typename T, typename To>
base::Status keep(base::Result<T> value, To& place) {
    if (!value) {
        return base::fail(std::move(value.error()));
    }
    place = std::move(*value);
    return {};
}

class Reader {
public:
    base::Result<Options> read(int argc, const char* const* argv);

private:
    struct Source {
        bool is_file = false;
        std::string text;
    };

    base::Status take(int code, std::string_view text);
    base::Status take_where(int code, std::string_view text);
    base::Status take_aor(std::string_view name, std::string_view text);
    base::Status take_how(int code, std::string_view text);
    base::Status take_death(int code, std::string_view text);
    void take_flag(int code);
    base::Status add_audio(std::string_view name, std::string_view text);
    base::Status default_from_environment();
    base::Status default_state();
    base::Status read_sources();

    Options options_;
    std::vector<Source> sources_;
    bool audio_given_ = false;
};

base::Status Reader::take(int code, std::string_view text) {
    switch (code) {
    case 'c': sources_.push_back({.is_file = false, .text = std::string{text}}); return {};
    case 'f': sources_.push_back({.is_file = true, .text = std::string{text}}); return {};
    case aor:
    case listen:
    case state:
    case 'p':
    case credentials: return take_where(code, text);
    case durable:
    case no_journal:
    case under_keeper:
    case json:
    case bell:
    case no_bell:
    case keep_going:
    case interactive:
    case version:
    case 'h':
    case 'v': take_flag(code); return {};
    case die_before_effect:
    case die_after_effect:
    case die_after_send:
    case hang_before_effect:
    case hang_after_effect:
    case hang_after_send: return take_death(code, text);
    case crash_at: return keep(read_crash_point(option_name(code), text), options_.crash_at);
    default: return take_how(code, text);
    }
}

base::Status Reader::take_where(int code, std::string_view text) {
    const std::string name = option_name(code);
    switch (code) {
    case aor: return take_aor(name, text);
    case 'p': return keep(read_uri(name, text), options_.outbound_proxy);
    case state: return keep(read_path(name, text), options_.state_directory);
    case credentials: return keep(read_path(name, text), options_.credentials_path);
    default: break;
    }
    Listen one;
    base::Status status = keep(read_listen(name, text), one);
    if (status) {
        options_.listen.push_back(one);
    }
    return status;
}

base::Status Reader::take_aor(std::string_view name, std::string_view text) {
    std::pair<std::string, std::string> who;
    base::Status status = keep(read_aor(name, text), who);
    if (status) {
        options_.display_name = std::move(who.first);
        options_.aor = std::move(who.second);
    }
    return status;
}

base::Status Reader::take_how(int code, std::string_view text) {
    const std::string name = option_name(code);
    switch (code) {
    case audio: return add_audio(name, text);
    case resume:
        options_.resume_given = true;
        return keep(read_resume(name, text), options_.resume);
    case resume_deadline: return keep(read_number(name, text, 1, 3600), options_.resume_deadline_s);
    case session_expires:
        // RFC 4028 §4: not below 90.
        return text == "0" ? keep(base::Result<std::uint32_t>{0}, options_.session_expires_s)
                           : keep(read_number(name, text, 90, 86400), options_.session_expires_s);
    case max_calls: return keep(read_number(name, text, 1, 10000), options_.ringing_max);
    case no_answer: return keep(read_number(name, text, 0, 86400), options_.no_answer_s);
    case codecs: return keep(read_codecs(name, text), options_.codecs);
    case 'a': {
        if (text.empty()) {
            options_.auto_answer = 200;
            return {};
        }
        return keep(read_number(name, text, 180, 699).map([](std::uint32_t n) {
            return static_cast<std::uint16_t>(n);
        }),
                    options_.auto_answer);
    }
    default: break;
    }
    std::pair<std::uint16_t, std::uint16_t> ports;
    base::Status status = keep(read_rtp_ports(name, text), ports);
    if (status) {
        options_.rtp_port_min = ports.first;
        options_.rtp_port_max = ports.second;
    }
    return status;
}

base::Status Reader::take_death(int code, std::string_view text) {
    const bool hangs = code >= hang_before_effect;
    const int where = hangs ? code - hang_before_effect + die_before_effect : code;
    options_.death = hangs ? base::Death::hang : base::Death::kill;
    options_.die_at = where == die_before_effect  ? base::KillPoint::before_effect
                      : where == die_after_effect ? base::KillPoint::after_effect
                                                  : base::KillPoint::after_send;
    return keep(read_number(option_name(code), text, 1, 1'000'000), options_.die_count);
}

void Reader::take_flag(int code) {
    switch (code) {
    case durable: options_.durable = true; return;
    case no_journal: options_.no_journal = true; return;
    case under_keeper: options_.keep = true; return;
    case json: options_.json = true; return;
    case bell: options_.bell = true; return;
    case no_bell: options_.bell = false; return;
    case keep_going: options_.keep_going = true; return;
    case interactive: options_.interactive = true; return;
    case version: options_.version = true; return;
    case 'h': options_.help = true; return;
    default: ++options_.verbosity; return;
    }
}

base::Status Reader::add_audio(std::string_view name, std::string_view text) {
    std::pair<std::string, std::string> ends;
    base::Status status = keep(read_audio(name, text), ends);
    if (status) {
        audio_given_ = true;
        options_.source = std::move(ends.first);
        options_.sink = std::move(ends.second);
    }
    return status;
}

base::Status Reader::default_from_environment() {
    const std::string aor_text = environment("REVENANT_AOR");
    if (options_.aor.empty() && !aor_text.empty()) {
        if (auto status = take_aor("REVENANT_AOR", aor_text); !status) {
            return status;
        }
    }
    const std::string proxy_text = environment("REVENANT_PROXY");
    if (options_.outbound_proxy.empty() && !proxy_text.empty()) {
        auto status = keep(read_uri("REVENANT_PROXY", proxy_text), options_.outbound_proxy);
        if (!status) {
            return status;
        }
    }
    const std::string audio_text = environment("REVENANT_AUDIO");
    if (!audio_given_ && !audio_text.empty()) {
        return add_audio("REVENANT_AUDIO", audio_text);
    }
    return {};
}

base::Status Reader::default_state() {
    if (options_.state_directory.empty()) {
        options_.state_directory = environment("REVENANT_STATE");
    }
    const bool is_automatic = options_.state_directory == "auto";
    if (!options_.state_directory.empty() && !is_automatic) {
        return {};
    }
    // The XDG base directory specification: a path that is not absolute is to be ignored.
    const std::string xdg = environment("XDG_STATE_HOME");
    const std::string home = environment("HOME");
    if (xdg.starts_with('/')) {
        options_.state_directory = xdg + "/revenant";
    } else if (home.starts_with('/')) {
        options_.state_directory = home + "/.local/state/revenant";
    } else {
        return base::fail(base::Errc::bad_input,
                          "neither XDG_STATE_HOME nor HOME is an absolute path: say --state DIR");
    }
    if (is_automatic) {
        options_.state_directory += "/phones/" + state_name(options_);
    }
    return {};
}

base::Status Reader::read_sources() {
    std::size_t commands = 0;
    for (const Source& source : sources_) {
        if (!source.is_file) {
            options_.script.push_back(
                {.text = source.text, .origin = "-c " + std::to_string(++commands)});
            continue;
        }
        if (source.text == "-" && options_.interactive) {
            return base::fail(base::Errc::bad_input,
                              "--interactive needs the stdin that -f - reads to its end");
        }
        auto lines = read_script(source.text);
        if (!lines) {
            return base::fail(std::move(lines.error()));
        }
        options_.script.insert(options_.script.end(), lines->begin(), lines->end());
    }
    options_.reads_stdin = sources_.empty() && !options_.interactive;
    options_.interactive = options_.interactive || sources_.empty();
    return {};
}

// What is wrong with the option at which getopt_long returned `code`. `word` is where it stands,
// but not for an unknown letter: that is in optopt alone.
base::Error complaint(int code, std::string_view word) {
    std::string context;
    if (code == ':') {
        context = option_name(::optopt) + " needs a value";
    } else if (is_option(::optopt)) {
        context = option_name(::optopt) + " takes no value";
    } else if (::optopt != 0) {
        context = "unknown option '" +
                  base::printable(std::string{"-"} + static_cast<char>(::optopt)) + "'";
    } else {
        context = "unknown or ambiguous option '" + base::printable(word, 80) + "'";
    }
    return {.code = base::Errc::bad_input, .context = context + "; --help lists the options"};
}

base::Result<Options> Reader::read(int argc, const char* const* argv) {
    // getopt_long sorts its argument; it gets a copy of the pointers, and writes no string.
    std::vector<char*> words;
    words.reserve(static_cast<std::size_t>(argc) + 1);
    for (int i = 0; i < argc; ++i) {
        words.push_back(
            const_cast<char*>(argv[i])); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    }
    words.push_back(nullptr);
    ::opterr = 0;
    ::optind = 0;                     // glibc: start anew
    std::optional<base::Error> first; // the first error; --help may still follow
    const auto note = [&first](base::Error error) {
        first = first ? std::move(first) : std::optional{std::move(error)};
    };
    while (true) {
        const int code = ::getopt_long(argc, words.data(), short_options, long_options.data(),
                                       nullptr); // NOLINT(concurrency-mt-unsafe): at start
        if (code == -1) {
            break;
        }
        if (code == '?' || code == ':') {
            note(complaint(code, words[static_cast<std::size_t>(::optind) - 1]));
        } else if (auto taken = take(code, ::optarg == nullptr ? "" : ::optarg); !taken) {
            note(std::move(taken.error()));
        }
    }
    if (options_.help || options_.version) {
        return std::move(options_);
    }
    if (::optind < argc) {
        const std::string_view word = words[static_cast<std::size_t>(::optind)];
        note({.code = base::Errc::bad_input,
              .context = "unexpected argument '" + base::printable(word, 80) +
                         "'; commands are given with -c, and quoted"});
    }
    if (first) {
        return base::fail(std::move(*first));
    }
    return default_from_environment()
        .and_then([this] { return default_state(); })
        .and_then([this] { return read_sources(); })
        .map([this] { return std::move(options_); });
}

} // namespace

base::Result<Options> read_options(int argc, const char* const* argv) {
    return Reader{}.read(argc, argv);
}

} // namespace revenant::shell
