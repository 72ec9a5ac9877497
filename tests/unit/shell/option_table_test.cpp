#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/kill_point.hpp"
#include "revenant/shell/documents.hpp"
#include "revenant/shell/options.hpp"
#include "shell/option_table.hpp"

using namespace revenant;
using shell::OptionRow;
using shell::Options;
using shell::Takes;

namespace {

// A value for each option that is not its default.
constexpr std::array<std::pair<std::string_view, std::string_view>, 25> values{
    {{"aor", "\"Alice\" <sip:alice@example.org>"},
     {"listen", "192.0.2.1"},
     {"outbound-proxy", "sip:proxy"},
     {"credentials", "/c"},
     {"state", "/s"},
     {"config", "/f"},
     {"auto-answer", ""},
     {"resume", "auto"},
     {"resume-deadline", "7"},
     {"session-expires", "0"},
     {"max-calls", "7"},
     {"no-answer", "7"},
     {"audio", "echo,file:/x"},
     {"codecs", "PCMA"},
     {"rtp-ports", "30000-30010"},
     {"command", "calls"},
     {"file", "calls.txt"},
     {"die-before-effect", "1"},
     {"die-after-effect", "1"},
     {"die-after-send", "1"},
     {"hang-before-effect", "1"},
     {"hang-after-effect", "1"},
     {"hang-after-send", "1"},
     {"crash-at", "read:1"},
     {"store-delay", "300,late"}}};

void apply(const OptionRow& row, shell::Draft& draft) {
    const auto* const value =
        std::ranges::find(values, row.name, &std::pair<std::string_view, std::string_view>::first);
    REQUIRE_MESSAGE(
        (value != values.end() || row.takes == Takes::nothing || row.takes == Takes::count),
        "no value to try for --" << row.name);
    const shell::Said said{.name = "x",
                           .text = value != values.end() ? value->second : std::string_view{},
                           .is_on = !row.is_on_by_default};
    const auto status = row.apply(draft, said);
    CHECK_MESSAGE(status.has_value(), "--" << row.name);
}

// All that Options has. A new field does not compile here: it needs an option, and its name below.
auto fields(const Options& options) {
    const auto& [aor, display_name, listen, state_directory, outbound_proxy, credentials_path,
                 source, sink, resume, resume_given, keep, resume_deadline_s, session_expires_s,
                 ringing_max, no_answer_s, rtp_port_min, rtp_port_max, auto_answer, codecs, durable,
                 no_journal, bell, json, keep_going, interactive, reads_stdin, verbosity, script,
                 is_scripted, help, version, die_at, die_count, death, crash_at, store_delay,
                 configuration] = options;
    // Left out: what follows from the others (reads_stdin), and what is read from a file that an
    // option names (script, is_scripted, configuration).
    static_cast<void>(reads_stdin);
    static_cast<void>(script);
    static_cast<void>(is_scripted);
    static_cast<void>(configuration);
    return std::tuple{aor,
                      display_name,
                      listen,
                      state_directory,
                      outbound_proxy,
                      credentials_path,
                      source,
                      sink,
                      resume,
                      resume_given,
                      keep,
                      resume_deadline_s,
                      session_expires_s,
                      ringing_max,
                      no_answer_s,
                      rtp_port_min,
                      rtp_port_max,
                      auto_answer,
                      codecs,
                      durable,
                      no_journal,
                      bell,
                      json,
                      keep_going,
                      interactive,
                      verbosity,
                      help,
                      version,
                      die_at,
                      die_count,
                      death,
                      std::pair{crash_at.step, crash_at.call},
                      std::pair{store_delay.most_ms, store_delay.is_written_at_once}};
}

template <std::size_t... i>
std::vector<bool> changed(const Options& one, const Options& other, std::index_sequence<i...>) {
    const auto a = fields(one);
    const auto b = fields(other);
    return {(std::get<i>(a) != std::get<i>(b))...};
}

std::vector<bool> changed(const Options& one, const Options& other) {
    constexpr std::size_t count = std::tuple_size_v<decltype(fields(one))>;
    return changed(one, other, std::make_index_sequence<count>{});
}

// "--name" wherever it stands in `text`, without the dashes.
std::set<std::string> options_in(std::string_view text) {
    std::set<std::string> found;
    const auto is_letter = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    };
    for (std::size_t at = 0; (at = text.find("--", at)) != std::string_view::npos;) {
        const bool begins = at == 0 || !is_letter(text[at - 1]);
        std::size_t end = at + 2;
        while (end < text.size() && is_letter(text[end])) {
            ++end;
        }
        if (begins && end > at + 2 && std::isalpha(static_cast<unsigned char>(text[at + 2])) != 0) {
            found.emplace(text.substr(at + 2, end - at - 2));
        }
        at = end;
    }
    return found;
}

std::string contents(const char* path) {
    std::ifstream file{path};
    REQUIRE_MESSAGE(file.good(), path);
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

TEST_CASE("every option has a name of its own, a help text, and something that it does") {
    std::set<std::string> names;
    std::set<char> letters;
    for (const OptionRow& row : shell::option_table()) {
        CAPTURE(row.name);
        CHECK_FALSE(row.help.empty());
        CHECK((row.apply != nullptr));
        CHECK(names.emplace(row.name).second);
        CHECK((row.alias.empty() || names.emplace(row.alias).second));
        CHECK((!shell::is_negatable(row) || names.insert("no-" + std::string{row.name}).second));
        CHECK((row.letter == '\0' || letters.insert(row.letter).second));
        CHECK(row.argument.empty() == (row.takes == Takes::nothing));
        CHECK((row.environment.empty() || row.environment.starts_with("REVENANT_")));
    }
}

TEST_CASE("every field of Options is reached by an option, and every option reaches one") {
    std::vector<bool> reached(changed({}, {}).size(), false);
    for (const OptionRow& row : shell::option_table()) {
        CAPTURE(row.name);
        shell::Draft draft;
        // Where a test build dies by default is where --die-after-effect wants it.
        draft.options.die_at = base::KillPoint::before_effect;
        Options before = draft.options;
        apply(row, draft);
        bool reaches = !draft.sources.empty() || !draft.config_path.empty();
        const std::vector<bool> now = changed(draft.options, before);
        for (std::size_t i = 0; i < now.size(); ++i) {
            reached[i] = reached[i] || now[i];
            reaches = reaches || now[i];
        }
        CHECK(reaches);
    }
    for (std::size_t i = 0; i < reached.size(); ++i) {
        CAPTURE(i); // of fields(), from 0
        CHECK(reached[i]);
    }
}

TEST_CASE("help names every option that people are told of, and no other") {
    std::set<std::string> told;
    for (const OptionRow& row : shell::option_table()) {
        if (row.group != shell::Group::tests) {
            told.insert((row.is_on_by_default ? "no-" : "") + std::string{row.name});
        }
    }
    told.insert({"no-config", "no-durable"}); // in running text
    CHECK(options_in(shell::usage()) == told);
}

TEST_CASE("the manual has an entry for every option, and for every key of a file") {
    std::string page = shell::man_page();
    std::erase(page, '\\'); // a hyphen is \-
    const std::string config = shell::config_man_page();
    std::set<std::string> told;
    for (const OptionRow& row : shell::option_table()) {
        const std::string name{row.name};
        CAPTURE(name);
        const bool is_told = row.group != shell::Group::tests;
        const std::string entry = "fB" + std::string{row.is_on_by_default ? "--no-" : "--"} + name;
        CHECK((page.find(entry + "fR") != std::string::npos) == is_told);
        CHECK((row.environment.empty() ||
               page.find(".TP\nfB" + std::string{row.environment} + "fR\n") != std::string::npos));
        std::string key = name;
        for (std::size_t at = 0; (at = key.find('-', at)) != std::string::npos; at += 2) {
            key.insert(at, 1, '\\');
        }
        CHECK((config.find(".TP\n\\fB" + key + "\\fR = ") != std::string::npos) == row.has_key);
        told.insert({name, "no-" + name, std::string{row.alias}});
    }
    for (const std::string& name : options_in(page)) {
        CHECK_MESSAGE((told.contains(name) || name == "no-"), "--" << name);
    }
}

TEST_CASE("the manual is well-formed: known requests, known escapes, no empty line") {
    const std::set<std::string> requests{".\\\"", ".TH", ".nh", ".ad", ".SH", ".SS",
                                         ".TP",   ".PP", ".B",  ".I",  ".BR", ".RB",
                                         ".RI",   ".IR", ".BI", ".nf", ".fi"};
    for (const std::string& page : {shell::man_page(), shell::config_man_page()}) {
        CHECK(page.ends_with('\n'));
        std::istringstream lines{page};
        bool is_literal = false;
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK_FALSE(line.empty());
            CHECK_FALSE(line.starts_with('\''));
            if (line.starts_with('.')) {
                CHECK(requests.contains(line.substr(0, line.find(' '))));
                is_literal = line == ".nf" || (is_literal && line != ".fi");
            }
            for (std::size_t at = 0; (at = line.find('\\', at)) != std::string::npos; at += 2) {
                REQUIRE(at + 1 < line.size());
                CHECK(std::string_view{"-e&(f\""}.find(line[at + 1]) != std::string_view::npos);
            }
        }
        CHECK_FALSE(is_literal);
    }
}

TEST_CASE("shells complete every option that people are told of") {
    const std::set<std::string> bash = options_in(shell::bash_completion());
    const std::set<std::string> zsh = options_in(shell::zsh_completion());
    for (const OptionRow& row : shell::option_table()) {
        const std::string name{row.name};
        CAPTURE(name);
        const bool is_told = row.group != shell::Group::tests;
        CHECK(bash.contains(name) == is_told);
        CHECK(zsh.contains(name) == is_told);
        CHECK(bash.contains("no-" + name) == shell::is_negatable(row));
        CHECK(zsh.contains("no-" + name) == shell::is_negatable(row));
    }
}

TEST_CASE("the README names no option that there is not") {
    std::set<std::string> names{// the keeper's, and those of make and of the test programs
                                "watchdog"};
    for (const OptionRow& row : shell::option_table()) {
        names.emplace(row.name);
        names.insert("no-" + std::string{row.name});
    }
    for (const std::string& name : options_in(contents("README.md"))) {
        CHECK_MESSAGE(names.contains(name), "--" << name);
    }
}
