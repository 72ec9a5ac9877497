// What a user, a script or a control client types, and the program's own options. The first byte
// chooses; the rest is a line, or words separated by newlines.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "revenant/base/text.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/shell/output.hpp"
#include "shell/completion.hpp"

using namespace revenant;

namespace {

void expect(bool true_always) {
    if (!true_always) {
        std::abort();
    }
}

// Nothing that a message to the user may hold moves the cursor.
void expect_harmless(const std::string& text) {
    expect(base::printable(text, text.size()) == text);
}

const shell::Table& table() {
    static const shell::Table* const instance = [] {
        auto* made = new shell::Table;
        const auto add = [made](const char* name, std::vector<std::string> aliases,
                                shell::Completes completes, bool secret) {
            made->add({.name = name,
                       .aliases = std::move(aliases),
                       .arguments = "[WORD]...",
                       .help = "do it",
                       .group = "Test",
                       .arguments_min = 1,
                       .arguments_max = 3,
                       .completes = {shell::Completes::call_id, completes},
                       .words = {"auto", "ask"},
                       .secret = secret,
                       .run = [](const shell::Arguments& arguments, const shell::Done& done) {
                           expect(!arguments.empty() && arguments.size() <= 3);
                           done({});
                       }});
        };
        add("invite", {"i"}, shell::Completes::uri, false);
        add("decline", {"d"}, shell::Completes::words, false);
        add("reject", {"D"}, shell::Completes::file, false);
        add("unsubscribe", {"U", "us"}, shell::Completes::condition, false);
        add("unregister", {"u"}, shell::Completes::command, false);
        add("key", {"k"}, shell::Completes::nothing, true);
        return made;
    }();
    return *instance;
}

void try_line(std::string_view line) {
    const auto words = shell::split_line(line);
    if (words) {
        std::string again;
        for (const std::string& word : *words) {
            again += (word.empty() ? "''" : shell::quoted_name(word, '\0')) + " ";
        }
        // Quoting lengthens; what is still short enough reads back as it was.
        const auto reread = shell::split_line(again);
        expect(again.size() > 4096 ? true : reread == words);
    }
    int finished = 0;
    table().run_line(line, [&](const base::Status& status) {
        ++finished;
        if (!status) {
            expect(status.error().code == base::Errc::bad_input);
            expect_harmless(status.error().context);
        }
    });
    expect(finished == 1);
    static_cast<void>(table().help(line));
    // A secret is a secret however the line ends.
    if (table().is_secret(line) && words) {
        expect(!words->empty() && table().find(words->front())->secret);
    }
}

void try_completion(std::string_view text) {
    const shell::Offers offers{
        .call_ids =
            [] {
                return std::vector<std::string>{"1", "2"};
            },
        .uris =
            [text] {
                return std::vector<std::string>{"sip:a@b", std::string{text}};
            },
        .conditions = {},
    };
    const std::size_t middle = text.size() / 2;
    const std::string_view word = text.substr(middle);
    const auto found = shell::candidates(table(), offers, text.substr(0, middle), word);
    for (const std::string& candidate : found.words) {
        expect(candidate.starts_with(word));
        expect_harmless(candidate);
    }
}

void try_output(std::string_view text) {
    const shell::Notice notice{.event = "fuzz",
                               .call = 1,
                               .tone = shell::Tone::bad,
                               .text = std::string{text},
                               .fields = {{std::string{text}, std::string{text}}}};
    std::string human = shell::rendered(notice, shell::Format::human, false);
    for (char& c : human) {
        c = c == '\n' ? ' ' : c;
    }
    expect_harmless(human);
    const std::string json = shell::rendered(notice, shell::Format::json, false);
    expect(json.ends_with("}\n"));
    expect_harmless(json.substr(0, json.size() - 1));
}

// A file is read only within the empty directory that we are in.
bool stays_here(std::string_view word) {
    return word.find('/') == std::string_view::npos;
}

void try_options(std::string_view text) {
    std::vector<std::string> words{"revenant"};
    while (!text.empty() && words.size() < 40) {
        const std::size_t end = text.find('\n');
        std::string word{text.substr(0, text.find('\n'))};
        word = word.substr(0, word.find('\0'));
        if (!stays_here(word)) {
            return;
        }
        words.push_back(std::move(word));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    std::vector<const char*> argv;
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    argv.push_back(nullptr);
    const auto options = shell::read_options(static_cast<int>(words.size()), argv.data());
    if (!options) {
        expect_harmless(options.error().context);
        return;
    }
    if (!options->help && !options->version) {
        expect(!options->state_directory.empty());
        expect(options->rtp_port_min % 2 == 0 && options->rtp_port_min < options->rtp_port_max);
        expect(options->interactive || !options->script.empty() || words.size() > 1);
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    // For `-f FILE` and `-f -`. libFuzzer itself uses relative paths, so this directory is left
    // and entered for each run.
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, STDIN_FILENO);
    ::setenv("HOME", "/home/fuzz", 1);
    ::unsetenv("XDG_CONFIG_HOME"); // nobody's file
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0] % 4) {
    case 0: try_line(text); break;
    case 1: try_completion(text); break;
    case 2: try_output(text); break;
    default: {
        static const int empty = [] {
            char name[] = "/tmp/command_line_fuzz.XXXXXX";
            const int fd = ::open(::mkdtemp(name), O_RDONLY | O_DIRECTORY);
            ::rmdir(name); // stays as long as it is open, and nothing can be made in it
            return fd;
        }();
        static const int home = ::open(".", O_RDONLY | O_DIRECTORY);
        expect(::fchdir(empty) == 0);
        try_options(text);
        expect(::fchdir(home) == 0);
    }
    }
    return 0;
}
