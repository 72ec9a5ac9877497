#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"
#include "shell/columns.hpp"
#include "unit/fakes/environment.hpp"

using namespace revenant;
using shell::Options;
using shell::Resume;
using shell::ScriptLine;

namespace {

base::Result<Options> read(const std::vector<std::string>& words) {
    std::vector<const char*> argv{"revenant"};
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    argv.push_back(nullptr);
    return shell::read_options(static_cast<int>(argv.size()) - 1, argv.data());
}

std::string refusal(const std::vector<std::string>& words) {
    const auto options = read(words);
    return options ? "(accepted)" : options.error().context;
}

bool refused(const std::vector<std::string>& words) {
    return !read(words).has_value();
}

} // namespace

TEST_CASE("without options the prompt comes up, and nothing is assumed that must be said") {
    const Environment environment;
    const Options options = read({}).value();
    CHECK(options.interactive);
    CHECK(options.listen.empty());
    CHECK(options.aor.empty());
    CHECK(options.resume == Resume::ask);
    CHECK(options.resume_deadline_s == 32);
    CHECK(options.session_expires_s == 1800);
    CHECK(options.ringing_max == 64);
    CHECK(options.no_answer_s == 180);
    CHECK(options.source == "silence");
    CHECK(options.sink == "null");
    CHECK_FALSE(options.auto_answer.has_value());
    CHECK_FALSE(options.durable);
    CHECK(options.state_directory == "/home/alice/.local/state/revenant");
}

TEST_CASE("every option finds its place") {
    const Environment environment;
    const Options options = read({"--aor",
                                  "sip:alice@example.org",
                                  "--listen",
                                  "192.0.2.1:5070;transport=tcp",
                                  "--listen=[2001:db8::1]:5080",
                                  "--state",
                                  "/s",
                                  "-p",
                                  "sip:proxy.example.org;lr",
                                  "--credentials",
                                  "/c",
                                  "--audio",
                                  "tone:440,file:/o.wav",
                                  "--resume=auto",
                                  "--resume-deadline=60",
                                  "--session-expires=0",
                                  "--max-calls=7",
                                  "--no-answer",
                                  "20",
                                  "--rtp-ports",
                                  "30000-30001",
                                  "-a",
                                  "--codecs",
                                  "PCMA,PCMU",
                                  "--durable",
                                  "--json",
                                  "--keep-going",
                                  "-vv",
                                  "-c",
                                  "list",
                                  "--interactive"})
                                .value();
    CHECK(options.aor == "sip:alice@example.org");
    REQUIRE(options.listen.size() == 2);
    CHECK(options.listen[0] ==
          shell::Listen{.address = "192.0.2.1", .port = 5070, .transport = call::Transport::tcp});
    CHECK(options.listen[1] ==
          shell::Listen{.address = "2001:db8::1", .port = 5080, .transport = {}});
    CHECK(options.state_directory == "/s");
    CHECK(options.outbound_proxy == "sip:proxy.example.org;lr");
    CHECK(options.credentials_path == "/c");
    CHECK(options.source == "tone:440");
    CHECK(options.sink == "file:/o.wav");
    CHECK(options.resume == Resume::automatic);
    CHECK(options.resume_deadline_s == 60);
    CHECK(options.session_expires_s == 0);
    CHECK(options.ringing_max == 7);
    CHECK(options.no_answer_s == 20);
    CHECK(options.rtp_port_min == 30000);
    CHECK(options.rtp_port_max == 30001);
    CHECK(options.auto_answer == 200);
    CHECK(options.codecs == std::vector<std::string>{"PCMA", "PCMU"});
    CHECK(options.durable);
    CHECK(options.json);
    CHECK(options.keep_going);
    CHECK(options.verbosity == 2);
    CHECK(options.interactive);
    CHECK(options.script == std::vector<ScriptLine>{{.text = "list", .origin = "-c 1"}});
}

TEST_CASE("a script alone is not interactive, even an empty one") {
    const Environment environment;
    CHECK_FALSE(read({"-c", "list"})->interactive);
    CHECK_FALSE(read({"-f", "/dev/null"})->interactive);
    CHECK(read({"-f", "/dev/null"})->is_scripted);
    CHECK_FALSE(read({})->is_scripted);
    CHECK(read({"-c", "list", "--interactive"})->interactive);
    CHECK(refused({"-f", "-", "--interactive"}));
}

TEST_CASE("commands and files run in the order given, and each line knows its origin") {
    const Environment environment;
    const std::string path = "/tmp/revenant_options_test." + std::to_string(::getpid());
    std::ofstream{path} << "\xEF\xBB\xBF# a script\n\nhold 1\r\n  bye 1\n# end\nlist";
    const auto options = read({"-c", "invite x", "-f", path, "-c", "quit"});
    ::unlink(path.c_str());
    REQUIRE(options.has_value());
    CHECK(options->script == std::vector<ScriptLine>{{.text = "invite x", .origin = "-c 1"},
                                                     {.text = "hold 1", .origin = path + ":3"},
                                                     {.text = "bye 1", .origin = path + ":4"},
                                                     {.text = "list", .origin = path + ":6"},
                                                     {.text = "quit", .origin = "-c 2"}});
}

TEST_CASE("a script is left to the phone that a keeper will start") {
    const Environment environment;
    CHECK(read({"--keep", "-f", "/nowhere/calls.txt"})->script.empty());
    const std::vector<const char*> argv{"revenant", "--keep", "-f", "/nowhere/calls.txt", nullptr};
    CHECK_FALSE(shell::read_options(4, argv.data(), nullptr, true).has_value());
}

TEST_CASE("a script that cannot be read is an error with its name and the reason") {
    const Environment environment;
    CHECK(refusal({"-f", "/nowhere/calls.txt"}) ==
          "cannot read the script /nowhere/calls.txt: No such file or directory");
    CHECK(refusal({"-f", "/tmp"}) == "cannot read the script /tmp: Is a directory");
    CHECK(refusal({"-f", "/dev/zero"}) ==
          "cannot read the script /dev/zero: it is longer than 16777216 bytes");
}

TEST_CASE("help and version win over errors, but not where they are another option's value") {
    const Environment environment;
    CHECK(read({"--bogus", "--help"})->help);
    CHECK(read({"--listen", "x", "-h"})->help);
    CHECK(read({"--version", "stray"})->version);
    CHECK_FALSE(read({"-c", "--help"})->help);
}

TEST_CASE("an error names the option and says what it takes") {
    const Environment environment;
    CHECK(refusal({"--resume=maybe"}) == "--resume takes auto, ask or never, not 'maybe'");
    CHECK(refusal({"--aor", "bob"}) ==
          "--aor takes a SIP URI without blanks, like sip:alice@example.org, not 'bob'");
    CHECK(refusal({"--resume-deadline=0"}) ==
          "--resume-deadline takes a number from 1 to 3600, not '0'");
    CHECK(refusal({"--bogus"}) ==
          "unknown or ambiguous option '--bogus'; --help lists the options");
    CHECK(refusal({"--json", "-vy"}) == "unknown option '-y'; --help lists the options");
    CHECK(refusal({"--json", "-\xD5"}) == "unknown option '-?'; --help lists the options");
    CHECK(refusal({"-y"}) == "unknown option '-y'; --help lists the options");
    CHECK(refusal({"--aor"}) == "--aor needs a value; --help lists the options");
    CHECK(refusal({"-c"}) == "--command needs a value; --help lists the options");
    CHECK(refusal({"--json=1"}) == "--json takes no value; --help lists the options");
    CHECK(refusal({"--verbose=1"}) == "--verbose takes no value; --help lists the options");
    CHECK(refusal({"invite"}) ==
          "unexpected argument 'invite'; commands are given with -c, and quoted");
    CHECK(refusal({"--aor", "\033[2Jx"}).find('\033') == std::string::npos);
}

TEST_CASE("a mistyped option is guessed, and an ambiguous one told apart") {
    const Environment environment;
    CHECK(refusal({"--audoi=echo"}) ==
          "unknown or ambiguous option '--audoi=echo'; did you mean '--audio'?");
    CHECK(refusal({"--re"}) ==
          "unknown or ambiguous option '--re'; did you mean '--resume' or '--resume-deadline'?");
    CHECK(refusal({"--no-json-please"}) ==
          "unknown or ambiguous option '--no-json-please'; --help lists the options");
}

TEST_CASE("a switch has a --no-, and the last one counts") {
    const Environment environment;
    CHECK_FALSE(read({"--durable", "--no-durable"})->durable);
    CHECK(read({"--no-durable", "--durable"})->durable);
    CHECK_FALSE(read({"--no-bell"})->bell);
    CHECK(read({"--no-journal"})->no_journal);
    CHECK_FALSE(read({"--no-journal", "--journal"})->no_journal);
    CHECK(read({"--no-keep-going", "-vv", "--no-verbose", "-v"})->verbosity == 1);
    CHECK(refusal({"--no-bell=1"}) == "--no-bell takes no value; --help lists the options");
}

TEST_CASE("listen addresses are numeric, with brackets for IPv6 and a port in range") {
    const Environment environment;
    CHECK(read({"--listen", "127.0.0.1"})->listen[0].port == 5060);
    CHECK(read({"--listen", "[::1]"})->listen[0].address == "::1");
    CHECK(read({"--listen", "127.0.0.1:0"})->listen[0].port == 0);
    CHECK(read({"--listen", "127.0.0.1:1;transport=UDP"})->listen[0].transport ==
          call::Transport::udp);
    for (const char* text :
         {"", "localhost:5060", "::1", "::1:5060", "[::1", "[::1]5060", "[127.0.0.1]:5060",
          "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:5060;transport=sctp", "127.0.0.1:5060;",
          "127.0.0.1:5060:1", "127.1", "[fe80::1%eth0]:5060"}) {
        CAPTURE(text);
        CHECK(refused({"--listen", text}));
    }
}

TEST_CASE("who we are may have a display name, with quotes or without") {
    const Environment environment;
    const auto named = read({"--aor", "\"Alice L.\" <sip:alice@example.org>"});
    CHECK(named->display_name == "Alice L.");
    CHECK(named->aor == "sip:alice@example.org");
    CHECK(read({"--aor", "Zoë <sip:zoe@example.org>"})->display_name == "Zoë");
    CHECK(read({"--aor", "<sip:zoe@example.org>"})->display_name.empty());
    for (const char* text :
         {"\"a\" <tel:1>", "\"a\" <sip:a@b", "\"a\"b\" <sip:a@b>", "a\\ <sip:a@b>",
          "a\r\nX: y <sip:a@b>", "a\xff <sip:a@b>", "<>", "a <sip:a@b> x"}) {
        CAPTURE(text);
        CHECK(refused({"--aor", text}));
    }
}

TEST_CASE("an automatic state directory belongs to who we are, or to where we listen") {
    const Environment environment;
    const std::string base = "/home/alice/.local/state/revenant/phones/";
    const auto directory = [](std::vector<std::string> words) {
        words.insert(words.end(), {"--state", "auto"});
        return read(words)->state_directory;
    };
    CHECK(directory({"--aor", "sip:bob@127.0.0.1"}) == base + "bob@127.0.0.1");
    CHECK(directory({"--aor", "sip:bob@[::1]:5070"}) == base + "bob@___1__5070");
    CHECK(directory({"--listen", "127.0.0.1:5070"}) == base + "127.0.0.1-5070");
    CHECK(directory({"--aor", "sip:../../x"}) == base + "_._.._x");
    CHECK(directory({}) == base + "default");
}

TEST_CASE("stdin is a script where neither a script nor --interactive is given") {
    const Environment environment;
    CHECK(read({})->reads_stdin);
    CHECK_FALSE(read({"--interactive"})->reads_stdin);
    CHECK_FALSE(read({"-c", "calls"})->reads_stdin);
}

TEST_CASE("RTP ports begin even and hold a pair") {
    const Environment environment;
    for (const char* text : {"", "20000", "20001-20010", "20000-20000", "20010-20000", "0-10",
                             "20000-65536", "20000-20010-20020", "a-b", "-"}) {
        CAPTURE(text);
        CHECK(refused({"--rtp-ports", text}));
    }
}

TEST_CASE("a session expires after 90 seconds at the least, or never") {
    const Environment environment;
    CHECK(read({"--session-expires=90"})->session_expires_s == 90);
    CHECK(refused({"--session-expires=89"}));
    CHECK(refused({"--session-expires=-1"}));
}

TEST_CASE("at least one call may ring, and one may ring for ever") {
    const Environment environment;
    CHECK(read({"--max-calls=1"})->ringing_max == 1);
    CHECK(refused({"--max-calls=0"}));
    CHECK(refused({"--max-calls=10001"}));
    CHECK(read({"--no-answer=0"})->no_answer_s == 0);
    CHECK(refused({"--no-answer=-1"}));
    CHECK(refused({"--no-answer=86401"}));
}

TEST_CASE("auto-answer takes a status with = only") {
    const Environment environment;
    CHECK(read({"--auto-answer"})->auto_answer == 200);
    CHECK(read({"--auto-answer=486"})->auto_answer == 486);
    CHECK(read({"--autoanswer"})->auto_answer == 200);
    CHECK(refused({"--auto-answer=99"}));
    CHECK(refused({"--auto-answer=65736"})); // 200 + 65536
}

TEST_CASE("codecs are names, each once") {
    const Environment environment;
    for (const char* text : {"", "PCMU,", "PCMU,pcmu", "PC MU", "a/b"}) {
        CAPTURE(text);
        CHECK(refused({"--codecs", text}));
    }
}

TEST_CASE("a comma belongs to a file name unless a sink follows it") {
    const Environment environment;
    CHECK(read({"--audio", "file:a,b.wav"})->source == "file:a,b.wav");
    CHECK(read({"--audio", "file:a,b.wav,null"})->source == "file:a,b.wav");
    CHECK(read({"--audio", "echo"})->sink == "null");
    CHECK(read({"--audio", "echo,speaker"})->sink == "speaker"); // for media to refuse
    CHECK(refused({"--audio", ""}));
    CHECK(refused({"--audio", "echo,"}));
    CHECK(refused({"--audio", ",null"}));
}

TEST_CASE("the environment fills in what the options leave out, and is checked like them") {
    const Environment environment;
    Environment::set("REVENANT_AOR", "sip:env@example.org");
    Environment::set("REVENANT_STATE", "/env");
    Environment::set("REVENANT_PROXY", "sip:proxy");
    Environment::set("REVENANT_AUDIO", "echo,null");
    const Options options = read({}).value();
    CHECK(options.aor == "sip:env@example.org");
    CHECK(options.state_directory == "/env");
    CHECK(options.outbound_proxy == "sip:proxy");
    CHECK(options.source == "echo");
    const Options said =
        read({"--aor=sip:a@b", "--state=/s", "--proxy=sip:p", "--audio=silence"}).value();
    CHECK(said.aor == "sip:a@b");
    CHECK(said.state_directory == "/s");
    CHECK(said.outbound_proxy == "sip:p");
    CHECK(said.source == "silence");
    Environment::set("REVENANT_AOR", "nobody");
    CHECK(refusal({}).starts_with("REVENANT_AOR takes a SIP URI"));
    Environment::set("REVENANT_AOR", "");
    CHECK(read({})->aor.empty());
}

TEST_CASE("the state directory follows XDG, which must be absolute, then HOME") {
    const Environment environment;
    Environment::set("XDG_STATE_HOME", "/xdg");
    CHECK(read({})->state_directory == "/xdg/revenant");
    Environment::set("XDG_STATE_HOME", "relative");
    CHECK(read({})->state_directory == "/home/alice/.local/state/revenant");
    ::unsetenv("HOME");
    CHECK(refusal({}) == "neither XDG_STATE_HOME nor HOME is an absolute path: say --state DIR");
    CHECK(read({"--state", "here"})->state_directory == "here");
}

TEST_CASE("reading options twice gives the same, and leaves argv as it was") {
    const Environment environment;
    const char* const argv[] = {"revenant", "-v", "--json", "-c", "list", nullptr};
    const auto first = shell::read_options(5, argv);
    const auto second = shell::read_options(5, argv);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(second->verbosity == 1);
    CHECK(second->script == first->script);
    CHECK(std::string{argv[1]} == "-v");
}

TEST_CASE("usage names every option and fits 80 columns") {
    const std::string text = shell::usage();
    for (const char* name :
         {"--aor",         "--listen",  "--outbound-proxy",  "--credentials",     "--state",
          "--auto-answer", "--resume=", "--resume-deadline", "--session-expires", "--max-calls",
          "--no-answer",   "--durable", "--audio",           "--codecs",          "--rtp-ports",
          "--command",     "--file",    "--keep-going",      "--interactive",     "--json",
          "--verbose",     "--help",    "--version"}) {
        CAPTURE(name);
        CHECK(text.find(name) != std::string::npos);
    }
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        CHECK(shell::display_width(text.substr(at, end - at)) <= 80);
        at = end + 1;
    }
}
