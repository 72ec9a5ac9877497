#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <glib.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"
#include "revenant/shell/script.hpp"
#include "shell/prompt_kinds.hpp"
#include "shell/terminal.hpp"

using namespace revenant;
using shell::Arguments;
using shell::Done;
using shell::Script;
using shell::ScriptLine;
using shell::Table;

namespace {

// Turns the main loop until it has nothing to do, which is when everything that can happen by
// itself has happened.
void turn() {
    while (g_main_context_iteration(nullptr, FALSE) != 0) {
    }
}

// What print writes, in a file.
struct Printed {
    base::Fd file{::memfd_create("printed", 0)};

    explicit Printed(shell::Format format = shell::Format::human) {
        shell::set_output(format, false);
        shell::set_output_fd(file.get());
    }

    ~Printed() {
        shell::set_output(shell::Format::human, false);
        shell::set_output_fd(STDOUT_FILENO);
    }

    Printed(const Printed&) = delete;
    Printed& operator=(const Printed&) = delete;

    [[nodiscard]] std::string text() const {
        std::string out(65536, '\0');
        const ssize_t count = ::pread(file.get(), out.data(), out.size(), 0);
        out.resize(static_cast<std::size_t>(count));
        return out;
    }
};

struct Commands {
    Table table;
    std::vector<std::string> ran;
    std::vector<Done> waiting;
    int depth = 0;
    int depth_max = 0;

    Commands() {
        add("now", false, [this](const Arguments& arguments, const Done& done) {
            depth_max = std::max(depth_max, ++depth);
            ran.push_back(arguments.empty() ? "now" : arguments[0]);
            done({});
            --depth;
        });
        add("later", false, [this](const Arguments& arguments, Done done) {
            ran.push_back(arguments.empty() ? "later" : arguments[0]);
            waiting.push_back(std::move(done));
        });
        add("fail", false, [this](const Arguments&, const Done& done) {
            ran.emplace_back("fail");
            done(base::fail(base::Errc::not_now, "the call is on hold already"));
        });
        add("key", true, [](const Arguments&, const Done& done) { done({}); });
    }

    void
    add(const std::string& name, bool secret, std::function<void(const Arguments&, Done)> run) {
        table.add({.name = name,
                   .aliases = {},
                   .arguments = "",
                   .help = "",
                   .group = "Calls",
                   .arguments_min = 0,
                   .arguments_max = 1,
                   .completes = {},
                   .words = {},
                   .secret = secret,
                   .run = std::move(run)});
    }
};

std::vector<ScriptLine> lines(const std::vector<std::string>& texts) {
    std::vector<ScriptLine> out;
    for (const std::string& text : texts) {
        out.push_back({.text = text, .origin = "test:" + std::to_string(out.size() + 1)});
    }
    return out;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("each line runs only after the one before has finished") {
    Commands commands;
    int ends = 0;
    Script script{commands.table,
                  lines({"later a", "now b", "later c"}),
                  false,
                  {.on_end = [&](std::size_t) { ++ends; }}};
    CHECK(commands.ran.empty());
    script.start();
    CHECK(commands.ran.empty()); // from the main loop only
    turn();
    CHECK(commands.ran == Names{"a"});
    commands.waiting[0]({});
    CHECK(commands.ran == Names{"a"}); // not within the command's own call
    turn();
    CHECK(commands.ran == Names{"a", "b", "c"});
    CHECK(ends == 0);
    commands.waiting[1]({});
    CHECK(ends == 0);
    turn();
    CHECK(ends == 1);
    turn();
    CHECK(ends == 1);
}

TEST_CASE("a script without lines ends, from the main loop") {
    const Commands commands;
    int ends = 0;
    Script script{commands.table, {}, false, {.on_end = [&](std::size_t) { ++ends; }}};
    script.start();
    CHECK(ends == 0);
    turn();
    CHECK(ends == 1);
}

TEST_CASE("thousands of commands that finish at once do not recurse") {
    Commands commands;
    std::size_t failed = 99;
    Script script{commands.table,
                  lines(Names(20'000, "now")),
                  false,
                  {.on_end = [&](std::size_t failures) { failed = failures; }}};
    script.start();
    turn();
    CHECK(commands.ran.size() == 20'000);
    CHECK(commands.depth_max == 1);
    CHECK(failed == 0);
}

TEST_CASE("the first failure ends a script and says where it was") {
    const Printed printed;
    Commands commands;
    std::size_t failed = 0;
    Script script{commands.table,
                  lines({"now", "fail", "now"}),
                  false,
                  {.on_end = [&](std::size_t failures) { failed = failures; }}};
    script.start();
    turn();
    CHECK(commands.ran == Names{"now", "fail"});
    CHECK(failed == 1);
    CHECK(printed.text() == "test:2: the call is on hold already\n");
}

TEST_CASE("keep_going runs the rest and counts the failures, unknown commands too") {
    const Printed printed;
    Commands commands;
    std::size_t failed = 0;
    Script script{commands.table,
                  lines({"fail", "lter", "now"}),
                  true,
                  {.on_end = [&](std::size_t failures) { failed = failures; }}};
    script.start();
    turn();
    CHECK(commands.ran == Names{"fail", "now"});
    CHECK(failed == 2);
    CHECK(printed.text() == "test:1: the call is on hold already\n"
                            "test:2: unknown command 'lter'; did you mean 'later'?\n");
}

TEST_CASE("lines are echoed on request, without secrets") {
    const Printed printed;
    const Commands commands;
    Script script{commands.table,
                  lines({"now x", "key bob:pw", "key 'bob:pw"}),
                  true,
                  {.on_end = [](std::size_t) {}},
                  true};
    script.start();
    turn();
    CHECK(printed.text().find("test:1: now x\n") == 0);
    CHECK(printed.text().find("test:2: key …\n") != std::string::npos);
    CHECK(printed.text().find("pw") == std::string::npos);
}

TEST_CASE("a command that reports twice moves the script on once") {
    Commands commands;
    Script script{
        commands.table, lines({"later", "later", "later"}), false, {.on_end = [](std::size_t) {}}};
    script.start();
    turn();
    const Done first = commands.waiting[0];
    first({});
    first({});
    turn();
    CHECK(commands.ran.size() == 2);
    first({});
    turn();
    CHECK(commands.ran.size() == 2);
}

TEST_CASE("a command may finish after its script has gone, and on_end may destroy the script") {
    Commands commands;
    int ends = 0;
    auto script = std::make_unique<Script>(commands.table, lines({"later"}), false,
                                           Script::Hooks{.on_end = [&](std::size_t) { ++ends; }});
    script->start();
    turn();
    script.reset();
    commands.waiting[0]({});
    turn();
    CHECK(ends == 0);

    script =
        std::make_unique<Script>(commands.table, lines({"now"}), false,
                                 Script::Hooks{.on_end = [&](std::size_t) { script.reset(); }});
    script->start();
    turn();
    CHECK(script == nullptr);
}

TEST_CASE("a script whose lines come one by one waits for the next, and for its end") {
    Commands commands;
    int ends = 0;
    Script script{
        commands.table, lines({"now a"}), false, {.on_end = [&](std::size_t) { ++ends; }}};
    script.expect_more();
    script.start();
    turn();
    CHECK(commands.ran == Names{"a"});
    CHECK(ends == 0);
    REQUIRE(script.add({.text = "later b", .origin = "stdin"}));
    REQUIRE(script.add({.text = "now c", .origin = "stdin"}));
    turn();
    CHECK(commands.ran == Names{"a", "b"});
    script.no_more();
    turn();
    CHECK(ends == 0); // b has not finished
    commands.waiting[0]({});
    turn();
    CHECK(commands.ran == Names{"a", "b", "c"});
    CHECK(ends == 1);
}

TEST_CASE("the first failure ends a script also while more lines may come") {
    const Printed printed;
    Commands commands;
    std::size_t failed = 0;
    Script script{
        commands.table, {}, false, {.on_end = [&](std::size_t failures) { failed = failures; }}};
    script.expect_more();
    script.start();
    REQUIRE(script.add({.text = "fail", .origin = "stdin"}));
    REQUIRE(script.add({.text = "now", .origin = "stdin"}));
    turn();
    CHECK(commands.ran == Names{"fail"});
    CHECK(failed == 1);
}

TEST_CASE("what comes of each line can be told otherwise") {
    const Printed printed;
    Commands commands;
    Names told;
    Script script{commands.table,
                  lines({"now", "fail"}),
                  false,
                  {.on_end = [](std::size_t) {},
                   .on_result =
                       [&](const ScriptLine& line, const base::Status& status) {
                           told.push_back(line.text + (status ? " ok" : " failed"));
                       }}};
    script.start();
    turn();
    CHECK(told == Names{"now ok", "fail failed"});
    CHECK(printed.text().empty());
}

TEST_CASE("commands that come faster than they run are refused at a limit") {
    Commands commands;
    Script script{commands.table, {}, false, {.on_end = [](std::size_t) {}}};
    script.expect_more();
    const std::string mebibyte(std::size_t{1} << 20U, 'x');
    for (int i = 0; i < 16; ++i) {
        REQUIRE(script.add({.text = mebibyte, .origin = "stdin"}));
    }
    CHECK_FALSE(script.add({.text = "x", .origin = "stdin"}));
}

TEST_CASE("lines from a pipe are handed on whole, the last one also without a newline") {
    int ends_of_pipe[2];
    REQUIRE(::pipe2(ends_of_pipe, O_CLOEXEC) == 0);
    const base::Fd out{ends_of_pipe[0]};
    base::Fd in{ends_of_pipe[1]};
    Names got;
    int ends = 0;
    const auto prompt = shell::open_plain_prompt(
        {.on_line = [&](std::string line) { got.push_back(std::move(line)); },
         .on_end = [&] { ++ends; },
         .call_ids = {},
         .uris = {},
         .conditions = {},
         .text = {},
         .on_interrupt = {}},
        out.get());
    const auto write = [&](const std::string& text) {
        REQUIRE(::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        turn();
    };
    write("list\n\n  \nho");
    CHECK(got == Names{"list"});
    write("ld 1\nbye");
    CHECK(got == Names{"list", "hold 1"});
    CHECK(ends == 0);
    in.reset();
    turn();
    CHECK(got == Names{"list", "hold 1", "bye"});
    CHECK(ends == 1);
}

TEST_CASE("a line without end from a pipe is bounded, and too long for the table") {
    int ends_of_pipe[2];
    REQUIRE(::pipe2(ends_of_pipe, O_CLOEXEC) == 0);
    const base::Fd out{ends_of_pipe[0]};
    const base::Fd in{ends_of_pipe[1]};
    Names got;
    const auto prompt = shell::open_plain_prompt(
        {.on_line = [&](std::string line) { got.push_back(std::move(line)); },
         .on_end = {},
         .call_ids = {},
         .uris = {},
         .conditions = {},
         .text = {},
         .on_interrupt = {}},
        out.get());
    const std::string piece(1000, 'x');
    for (int i = 0; i < 100; ++i) {
        REQUIRE(::write(in.get(), piece.data(), piece.size()) == 1000);
        turn();
    }
    REQUIRE(::write(in.get(), "\nlist\n", 6) == 6);
    turn();
    REQUIRE(got.size() == 2);
    CHECK(got[0].size() == 8192);
    CHECK_FALSE(shell::split_line(got[0]).has_value());
    CHECK(got[1] == "list");
}

TEST_CASE("a line from a pipe may destroy the prompt") {
    int ends_of_pipe[2];
    REQUIRE(::pipe2(ends_of_pipe, O_CLOEXEC) == 0);
    const base::Fd out{ends_of_pipe[0]};
    const base::Fd in{ends_of_pipe[1]};
    std::unique_ptr<shell::Prompt> prompt;
    int got = 0;
    prompt = shell::open_plain_prompt({.on_line =
                                           [&](const std::string&) {
                                               ++got;
                                               prompt.reset();
                                           },
                                       .on_end = {},
                                       .call_ids = {},
                                       .uris = {},
                                       .conditions = {},
                                       .text = {},
                                       .on_interrupt = {}},
                                      out.get());
    REQUIRE(::write(in.get(), "quit\nlist\n", 10) == 10);
    turn();
    CHECK(got == 1);
}
