// The configuration file, from its bytes to Options.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"
#include "shell/config_file.hpp"
#include "shell/option_table.hpp"
#include "unit/fakes/environment.hpp"

using namespace revenant;
using shell::Configuration;
using shell::Options;

namespace {

base::Result<Options> read(const std::vector<std::string>& words,
                           const Configuration* earlier = nullptr) {
    std::vector<const char*> argv{"revenant"};
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    argv.push_back(nullptr);
    return shell::read_options(static_cast<int>(argv.size()) - 1, argv.data(), earlier);
}

// A file with `text` in a directory of its own.
class File {
public:
    explicit File(const std::string& text) {
        std::string name = "/tmp/revenant_config_test.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
        std::filesystem::create_directory(directory_ + "/revenant");
        write(text);
    }

    ~File() { std::filesystem::remove_all(directory_); }

    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(const std::string& text) const { std::ofstream{path()} << text; }

    [[nodiscard]] std::string path() const { return directory_ + "/revenant/revenant.conf"; }

    [[nodiscard]] const std::string& directory() const { return directory_; }

private:
    std::string directory_;
};

base::Result<Options> with(const std::string& text, std::vector<std::string> words = {}) {
    const File file{text};
    words.insert(words.end(), {"--config", file.path()});
    return read(words);
}

// The error without the directory, which is another one each time.
std::string refusal(const std::string& text, const std::vector<std::string>& words = {}) {
    const auto options = with(text, words);
    if (options) {
        return "(accepted)";
    }
    const std::string& context = options.error().context;
    CHECK(base::printable(context, context.size()) == context);
    const std::size_t name = context.find("revenant.conf");
    return name == std::string::npos ? context : context.substr(name);
}

std::string phone(const std::string& line) {
    return refusal("[phone]\n" + line + "\n");
}

} // namespace

TEST_CASE("every option that makes sense in a file finds its place from there") {
    const Environment environment;
    const Options options = with("\xEF\xBB\xBF# my phone\r\n"
                                 "[phone]\r\n"
                                 "aor = \"Alice\" <sip:alice@example.org>\n"
                                 "listen = 192.0.2.1:5070;transport=tcp  [2001:db8::1]\n"
                                 "outbound-proxy=sip:proxy\n"
                                 "credentials = ~/secrets  \n"
                                 "state = /s\n"
                                 "\n"
                                 "auto-answer = yes\n"
                                 "resume = auto\n"
                                 "resume-deadline = 60\n"
                                 "session-expires = 90\n"
                                 "max-calls = 3\n"
                                 "no-answer = 20\n"
                                 "durable = true\n"
                                 "keep = true\n"
                                 "journal = false\n"
                                 "audio = tone:440,file:~/%c.wav\n"
                                 "codecs = PCMA,PCMU\n"
                                 "rtp-ports = 30000-30010\n"
                                 "keep-going = yes\n"
                                 "interactive = yes\n"
                                 "bell = no\n"
                                 "json = true\n"
                                 "verbose = 2")
                                .value();
    CHECK(options.aor == "sip:alice@example.org");
    CHECK(options.display_name == "Alice");
    REQUIRE(options.listen.size() == 2);
    CHECK(options.listen[0].transport == call::Transport::tcp);
    CHECK(options.listen[1].address == "2001:db8::1");
    CHECK(options.outbound_proxy == "sip:proxy");
    CHECK(options.credentials_path == "/home/alice/secrets");
    CHECK(options.state_directory == "/s");
    CHECK(options.auto_answer == 200);
    CHECK(options.resume == shell::Resume::automatic);
    CHECK(options.resume_given);
    CHECK(options.resume_deadline_s == 60);
    CHECK(options.session_expires_s == 90);
    CHECK(options.ringing_max == 3);
    CHECK(options.no_answer_s == 20);
    CHECK(options.durable);
    CHECK(options.keep);
    CHECK(options.no_journal);
    CHECK(options.source == "tone:440");
    CHECK(options.sink == "file:/home/alice/%c.wav");
    CHECK(options.codecs == std::vector<std::string>{"PCMA", "PCMU"});
    CHECK(options.rtp_port_min == 30000);
    CHECK(options.keep_going);
    CHECK(options.interactive);
    CHECK_FALSE(options.bell);
    CHECK(options.json);
    CHECK(options.verbosity == 2);
    CHECK(with("[phone]\nauto-answer = 486").value().auto_answer == 486);
    CHECK_FALSE(with("[phone]\nauto-answer = no").value().auto_answer.has_value());
}

TEST_CASE("the command line counts before the environment, and that before the file") {
    const Environment environment;
    const std::string text = "[phone]\naor=sip:file@a\naudio=echo\nmax-calls=3\ndurable=true\n"
                             "outbound-proxy=sip:p\ncredentials=/c\nverbose=2\nauto-answer=true\n"
                             "listen=192.0.2.1 192.0.2.2\njournal=false\nbell=false\n";
    Environment::set("REVENANT_AOR", "sip:env@a");
    Environment::set("REVENANT_AUDIO", "tone:1");
    const Options one = with(text, {"--audio=silence"}).value();
    CHECK(one.aor == "sip:env@a");
    CHECK(one.source == "silence");
    CHECK(one.ringing_max == 3);
    CHECK(one.listen.size() == 2);
    const Options other =
        with(text, {"--aor=sip:line@a", "--max-calls=9", "--no-durable", "--no-outbound-proxy",
                    "--no-credentials", "-v", "--no-auto-answer", "--listen=127.0.0.1", "--journal",
                    "--bell"})
            .value();
    CHECK(other.aor == "sip:line@a");
    CHECK(other.ringing_max == 9);
    CHECK_FALSE(other.durable);
    CHECK(other.outbound_proxy.empty());
    CHECK(other.credentials_path.empty());
    CHECK(other.verbosity == 1);
    CHECK_FALSE(other.auto_answer.has_value());
    REQUIRE(other.listen.size() == 1);
    CHECK(other.listen[0].address == "127.0.0.1");
    CHECK_FALSE(other.no_journal);
    CHECK(other.bell);
    CHECK(with(text, {"--no-verbose"}).value().verbosity == 0);
}

TEST_CASE("the file of the user is read where there is one, and no other") {
    const Environment environment;
    CHECK(read({})->configuration == Configuration{});
    const File file{"[phone]\nmax-calls=5\n"};
    Environment::set("XDG_CONFIG_HOME", file.directory().c_str());
    CHECK(read({})->ringing_max == 5);
    CHECK(read({})->configuration ==
          Configuration{.path = file.path(), .text = "[phone]\nmax-calls=5\n"});
    CHECK(read({"--no-config"})->ringing_max == 64);
    const File other{"[phone]\nmax-calls=6\n"};
    CHECK(read({"--config", other.path()})->ringing_max == 6);
    Environment::set("XDG_CONFIG_HOME", "relative"); // to be ignored
    CHECK(read({})->ringing_max == 64);
    std::filesystem::create_directory(file.directory() + "/.config");
    std::filesystem::rename(file.directory() + "/revenant", file.directory() + "/.config/revenant");
    Environment::set("HOME", file.directory().c_str());
    CHECK(read({})->ringing_max == 5);
}

TEST_CASE("what an earlier life has read counts instead of the file") {
    const Environment environment;
    const File file{"[phone]\nmax-calls=5\nbroken"};
    const Configuration earlier{.path = "/gone/revenant.conf", .text = "[phone]\nmax-calls=4"};
    const Options options = read({"--config", file.path()}, &earlier).value();
    CHECK(options.ringing_max == 4);
    CHECK(options.configuration == earlier);
    const Configuration none;
    CHECK(read({"--config", file.path()}, &none)->ringing_max == 64);
}

TEST_CASE("a later life needs no script that the first has run") {
    const Environment environment;
    const Configuration none;
    const auto options =
        read({"-f", "/nowhere/calls.txt", "-c", "calls", "-f", "-", "--interactive"}, &none);
    CHECK_FALSE(options.has_value()); // wrong in any life
    const Options later = read({"-f", "/nowhere/calls.txt", "-f", "-"}, &none).value();
    CHECK(later.script.empty());
    CHECK_FALSE(later.is_scripted);
    CHECK_FALSE(later.interactive);
    CHECK_FALSE(later.reads_stdin);
    CHECK(read({"-f", "/dev/null", "-c", "calls"}, &none)->script.size() == 1);
}

TEST_CASE("a file that cannot be read is an error with its name, the reason, and a way out") {
    const Environment environment;
    const auto why = [](const std::string& path) {
        return read({"--config", path}).error().context;
    };
    const std::string end = "; --no-config goes on without";
    CHECK(why("/nowhere/x") ==
          "cannot read the configuration /nowhere/x: No such file or directory" + end);
    CHECK(why("/tmp") == "cannot read the configuration /tmp: it is no regular file" + end);
    CHECK(why("/dev/zero") ==
          "cannot read the configuration /dev/zero: it is no regular file" + end);
    const File file{""};
    const std::string fifo = file.directory() + "/fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(why(fifo).ends_with("it is no regular file" + end)); // and nobody waits
    file.write(std::string(shell::config_size_max + 1, '\n'));
    CHECK(why(file.path()).ends_with(": it is longer than 65536 bytes" + end));
    file.write(std::string(shell::config_size_max, '\n'));
    CHECK(read({"--config", file.path()}).has_value());
    CHECK(why("") == "--config takes a path, not ''");
}

TEST_CASE("an error tells the line, and what may have been meant") {
    const Environment environment;
    CHECK(refusal("[phone]\n\naudoi = echo\n") ==
          "revenant.conf:3: there is no key 'audoi' in [phone]; did you mean 'audio'?");
    CHECK(phone("no-bell = true") ==
          "revenant.conf:2: there is no key 'no-bell' in [phone]; did you mean 'bell'?");
    CHECK(phone("autoanswer = true") == "revenant.conf:2: there is no key 'autoanswer' in [phone]; "
                                        "did you mean 'auto-answer'?");
    CHECK(phone("colour = blue") ==
          "revenant.conf:2: there is no key 'colour' in [phone]; the keys "
          "are the long options of --help");
    CHECK(phone("command = calls") == "revenant.conf:2: 'command' is for the command line only");
    CHECK(phone("config = /x") == "revenant.conf:2: 'config' is for the command line only");
    CHECK(refusal("[phon]\naor = sip:a@b\n") ==
          "revenant.conf:1: there is no group [phon]; did you mean [phone]?");
    CHECK(refusal("[accounts]\n") ==
          "revenant.conf:1: there is no group [accounts]; options stand in [phone]");
    CHECK(phone("aor = bob") ==
          "revenant.conf:2: aor takes a SIP URI without blanks, like sip:alice@example.org, not "
          "'bob'");
    CHECK(phone("durable = perhaps") ==
          "revenant.conf:2: durable takes true or false, not 'perhaps'");
    CHECK(phone("durable =") == "revenant.conf:2: durable takes true or false, not ''");
    CHECK(phone("auto-answer =") == "revenant.conf:2: auto-answer takes true, false or STATUS");
    CHECK(phone("auto-answer = 99").starts_with("revenant.conf:2: auto-answer takes a number"));
    CHECK(phone("verbose = 3") == "revenant.conf:2: verbose takes a number from 0 to 2, not '3'");
    CHECK(phone("listen =").starts_with("revenant.conf:2: listen takes ADDR:PORT"));
    CHECK(phone("state = calls") ==
          "revenant.conf:2: state takes a path that begins with / or ~/, not 'calls'");
    CHECK(phone("state = auto") == "(accepted)");
    CHECK(phone("audio = file:a.wav") ==
          "revenant.conf:2: audio takes a path that begins with / or ~/, not 'a.wav'");
    // It has to be right even where the command line says something else.
    CHECK(refusal("[phone]\nmax-calls=0", {"--max-calls=3"}) ==
          "revenant.conf:2: max-calls takes a number from 1 to 10000, not '0'");
}

TEST_CASE("a line that is none, or is there twice, is an error") {
    const Environment environment;
    CHECK(refusal("aor = sip:a@b\n[phone]\n") ==
          "revenant.conf:1: 'aor = sip:a@b' stands in no group; begin with a line [phone]");
    CHECK(phone("aor") ==
          "revenant.conf:2: 'aor' is neither [GROUP] nor KEY = VALUE; a comment begins with #");
    for (const char* line : {"[phone", "[phone] x", "[]", "= x", "[a]b = c", "; a comment"}) {
        CAPTURE(line);
        CHECK(refusal("[phone]\nbell=true\n" + std::string{line} + "\nbell=false")
                  .starts_with("revenant.conf:3: "));
    }
    CHECK(phone("bell[de] = true").starts_with("revenant.conf:2: there is no key 'bell[de]'"));
    CHECK(refusal("[phone]\nbell=true\n\nbell =false\n") ==
          "revenant.conf:4: 'bell' is in line 2 already");
    CHECK(refusal("[phone]\nbell=true\n[phone]\njson=true\n") ==
          "revenant.conf:3: [phone] is in line 1 already");
    CHECK(phone("state = /a\\b") ==
          "revenant.conf:2: state has a \\ that escapes nothing; \\\\ stands for one");
    CHECK(with("[phone]\nstate = /a\\sb\\\\c\\s ").value().state_directory == "/a b\\c ");
    CHECK(with("").has_value());
    CHECK(with("[phone]").has_value());
}

TEST_CASE("bytes that are no text are refused with their line") {
    const Environment environment;
    CHECK(phone("aor = sip:\xff@b") ==
          "revenant.conf:2: this is not UTF-8; write the file anew as UTF-8");
    CHECK(phone("state = /\033[2J") ==
          "revenant.conf:2: there is a control character in this line");
    CHECK(refusal(std::string{"[phone]\0\n", 9}) ==
          "revenant.conf:1: there is a control character in this line");
    CHECK(refusal("[phone]\rbell=true") ==
          "revenant.conf:1: there is a control character in this line");
    CHECK(phone("ao\xC2\x9Br = x").find('\x9B') == std::string::npos);
}
