// A small program around the prompt, for prompt_test.py: no phone, but commands of every kind.
// SIGUSR1 prints a notice, SIGUSR2 changes the prompt text. argv[1]: the history's path. After
// `steal` the next key is read behind the prompt's back.
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <glib.h>

#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"

using namespace revenant;
using shell::Arguments;
using shell::Completes;
using shell::Done;

namespace {

void say(const std::string& text, shell::Tone tone = shell::Tone::plain) {
    shell::print({.event = "test", .call = {}, .tone = tone, .text = text, .fields = {}});
}

class Program {
public:
    explicit Program(const std::string& history) {
        add("say", {}, Completes::words, {"hello", "help-me", "help-you"});
        add("hold", {}, Completes::call_id, {});
        add("invite", {"i"}, Completes::uri, {});
        add("play", {}, Completes::file, {});
        add("wait", {}, Completes::condition, {});
        add("key", {"k"}, Completes::nothing, {}, true);
        table_.add({.name = "long",
                    .aliases = {},
                    .arguments = "",
                    .help = "fifty lines",
                    .group = "Program",
                    .arguments_min = 0,
                    .arguments_max = 0,
                    .completes = {},
                    .words = {},
                    .secret = false,
                    .run = [this](const Arguments&, const Done& done) {
                        std::string text;
                        for (int i = 1; i <= 50; ++i) {
                            text += (i == 1 ? "line " : "\nline ") + std::to_string(i);
                        }
                        prompt_->page({.event = "long", .call = {}, .text = text, .fields = {}});
                        done({});
                    }});
        table_.add({.name = "steal",
                    .aliases = {},
                    .arguments = "",
                    .help = "lose a key",
                    .group = "Program",
                    .arguments_min = 0,
                    .arguments_max = 0,
                    .completes = {},
                    .words = {},
                    .secret = false,
                    .run = [this](const Arguments&, const Done& done) {
                        steals_ = true;
                        done({});
                    }});
        table_.add({.name = "quit",
                    .aliases = {"q"},
                    .arguments = "",
                    .help = "end",
                    .group = "Program",
                    .arguments_min = 0,
                    .arguments_max = 0,
                    .completes = {},
                    .words = {},
                    .secret = false,
                    .run = [this](const Arguments&, const Done& done) {
                        done({});
                        end("quit");
                    }});
        // Attached before the prompt's, so that both are called for the same input.
        thief_ = base::on_readable(STDIN_FILENO, [this] {
            if (std::exchange(steals_, false)) {
                char key = 0;
                static_cast<void>(::read(STDIN_FILENO, &key, 1) == 0);
            }
        });
        prompt_ = shell::Prompt::open(
            table_,
            {.on_line = [this](const std::string& line) { run(line); },
             .on_end = [this] { end("end"); },
             .call_ids =
                 [] {
                     return std::vector<std::string>{"1", "27"};
                 },
             .uris = [] { return std::vector<std::string>{"sip:bob@example.org:5070"}; },
             .conditions = [] { return std::vector<std::string>{"established"}; },
             .text = [this] { return text_; },
             .on_interrupt = [] { say("interrupted"); }},
            history);
    }

    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    ~Program() { g_main_loop_unref(loop_); }

    void notice() { say("notice " + std::to_string(++notices_) + " of a call", shell::Tone::good); }

    void rename() {
        text_ = "2 calls> ";
        if (prompt_) {
            prompt_->refresh();
        }
    }

    void loop() const { g_main_loop_run(loop_); }

private:
    void add(const std::string& name,
             std::vector<std::string> aliases,
             Completes completes,
             std::vector<std::string> words,
             bool secret = false) {
        table_.add({.name = name,
                    .aliases = std::move(aliases),
                    .arguments = "[WORD]...",
                    .help = "print the words",
                    .group = "Test",
                    .arguments_min = 0,
                    .arguments_max = 9,
                    .completes = {completes},
                    .words = std::move(words),
                    .secret = secret,
                    .run = [name](const Arguments& arguments, const Done& done) {
                        std::string text = name + " ran";
                        for (const std::string& argument : arguments) {
                            text += " [" + argument + "]";
                        }
                        say(text);
                        done({});
                    }});
    }

    void run(const std::string& line) {
        table_.run_line(line, [](const base::Status& status) {
            if (!status) {
                shell::print(shell::failure_notice(status.error()));
            }
        });
    }

    void end(const std::string& how) {
        prompt_.reset();
        say("ended by " + how);
        g_main_loop_quit(loop_);
    }

    GMainLoop* loop_ = g_main_loop_new(nullptr, FALSE);
    shell::Table table_;
    std::string text_ = "1 call> ";
    bool steals_ = false;
    base::Source thief_;
    std::unique_ptr<shell::Prompt> prompt_;
    int notices_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    shell::set_output(shell::Format::human, shell::colour_wanted());
    Program program{argc > 1 ? argv[1] : ""};
    const auto on_notice = base::on_signal(SIGUSR1, [&] { program.notice(); });
    const auto on_rename = base::on_signal(SIGUSR2, [&] { program.rename(); });
    program.loop();
    shell::flush_output();
    return 0;
}
