#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"
#include "shell/columns.hpp"
#include "shell/suggest.hpp"

using namespace revenant;
using shell::Arguments;
using shell::Command;
using shell::Done;
using shell::Table;

namespace {

// A table like the phone's, whose commands write down that they ran.
struct Sample {
    Table table;
    std::vector<std::string> ran;

    Sample() {
        add("invite", {"i"}, "URI [WORD]", "Calls", 1, 2);
        add("info", {}, "[ID]", "Calls", 0, 1);
        add("decline", {"d"}, "[ID]", "Calls", 0, 1);
        add("reject", {"D"}, "[ID]", "Calls", 0, 1);
        add("unregister", {"u"}, "", "Registration", 0, 0);
        add("unsubscribe", {"U", "us"}, "", "Registration", 0, 0);
        add("register", {"r"}, "[REGISTRAR]", "Registration", 0, 1);
        add("reinvite", {}, "[ID|all]", "Calls", 0, 1);
        add("quit", {"q", "x", "exit"}, "", "Program", 0, 0);
        Command key{.name = "key",
                    .aliases = {"k"},
                    .arguments = "[[REALM:]USER:]PASSWORD",
                    .help = "answer a challenge",
                    .group = "Registration",
                    .arguments_min = 1,
                    .arguments_max = 1,
                    .completes = {},
                    .words = {},
                    .secret = true,
                    .run = [](const Arguments&, const Done& done) { done({}); }};
        table.add(std::move(key));
    }

    void add(const std::string& name,
             std::vector<std::string> aliases,
             std::string arguments,
             std::string group,
             std::size_t min,
             std::size_t max) {
        table.add({.name = name,
                   .aliases = std::move(aliases),
                   .arguments = std::move(arguments),
                   .help = "does what " + name + " says, and says at some length what that is",
                   .group = std::move(group),
                   .arguments_min = min,
                   .arguments_max = max,
                   .completes = {},
                   .words = {},
                   .secret = false,
                   .run = [this, name](const Arguments& arguments_given, const Done& done) {
                       std::string line = name;
                       for (const auto& argument : arguments_given) {
                           line += "|" + argument;
                       }
                       ran.push_back(line);
                       done({});
                   }});
    }

    [[nodiscard]] std::string found(std::string_view name) const {
        const Command* command = table.find(name);
        return command == nullptr ? "nothing" : command->name;
    }

    // Empty: success.
    [[nodiscard]] std::string run(std::string_view line) const {
        std::optional<base::Status> answer;
        table.run_line(line, [&](const base::Status& status) {
            REQUIRE_FALSE(answer.has_value());
            answer = status;
        });
        REQUIRE(answer.has_value());
        return answer->has_value() ? "" : answer->error().context;
    }
};

} // namespace

TEST_CASE("names and aliases are found whatever their case") {
    const Sample s;
    CHECK(s.found("invite") == "invite");
    CHECK(s.found("INVITE") == "invite");
    CHECK(s.found("I") == "invite");
    CHECK(s.found("Exit") == "quit");
    CHECK(s.found("") == "nothing");
}

TEST_CASE("d and D, u and U are different commands") {
    const Sample s;
    CHECK(s.found("d") == "decline");
    CHECK(s.found("D") == "reject");
    CHECK(s.found("u") == "unregister");
    CHECK(s.found("U") == "unsubscribe");
    CHECK(s.found("US") == "unsubscribe");
}

TEST_CASE("three characters that begin only one command are enough, fewer or ambiguous are not") {
    const Sample s;
    CHECK(s.found("inv") == "invite");
    CHECK(s.found("rei") == "reinvite");
    CHECK(s.found("exi") == "quit");
    CHECK(s.found("qu") == "nothing");
    CHECK(s.found("un") == "nothing");
    CHECK(s.found("unr") == "unregister");
}

TEST_CASE("a line runs its command with the words after it") {
    const Sample s;
    CHECK(s.run("i sip:bob@example.org 'two words'").empty());
    CHECK(s.ran == std::vector<std::string>{"invite|sip:bob@example.org|two words"});
}

TEST_CASE("blank lines and comments succeed and run nothing") {
    const Sample s;
    CHECK(s.run("").empty());
    CHECK(s.run("   ").empty());
    CHECK(s.run("# quit").empty());
    CHECK(s.ran.empty());
}

TEST_CASE("a wrong number of arguments fails with the usage and runs nothing") {
    const Sample s;
    CHECK(s.run("invite") == "too few arguments for 'invite'; usage: invite URI [WORD]");
    CHECK(s.run("invite a b c") == "too many arguments for 'invite'; usage: invite URI [WORD]");
    CHECK(s.run("q now") == "too many arguments for 'quit'; usage: quit");
    CHECK(s.ran.empty());
}

TEST_CASE("a mistyped command is refused with what it may have been") {
    const Sample s;
    CHECK(s.run("invtie x") == "unknown command 'invtie'; did you mean 'invite'?");
    CHECK(s.run("re") == "unknown command 're'; did you mean 'reject', 'register' or 'reinvite'?");
    CHECK(s.run("frobnicate") == "unknown command 'frobnicate'; 'help' lists the commands");
    CHECK(s.run("z") == "unknown command 'z'; 'help' lists the commands");
    CHECK(s.ran.empty());
}

TEST_CASE("the edit distance counts a swap of neighbours as one") {
    CHECK(shell::edit_distance("", "") == 0);
    CHECK(shell::edit_distance("abc", "") == 3);
    CHECK(shell::edit_distance("invite", "invtie") == 1);
    CHECK(shell::edit_distance("hold", "hodl") == 1);
    CHECK(shell::edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a secret line is known by its command, however it is quoted or broken") {
    const Sample s;
    CHECK(s.table.is_secret("key bob:secret"));
    CHECK(s.table.is_secret("  K bob:secret"));
    CHECK(s.table.is_secret("'key' bob:secret"));
    CHECK(s.table.is_secret("key 'bob:secret"));
    CHECK(s.table.is_secret("\"k\" \"bob:secret"));
    CHECK_FALSE(s.table.is_secret("invite key"));
    CHECK_FALSE(s.table.is_secret(""));
    CHECK_FALSE(s.table.is_secret("# key bob"));
}

TEST_CASE("help lists every command once, under its group, within 80 columns") {
    const Sample s;
    const std::string help = s.table.help();
    std::size_t lines = 0;
    for (std::size_t at = 0; at < help.size(); ++lines) {
        const std::size_t end = std::min(help.find('\n', at), help.size());
        CAPTURE(help.substr(at, end - at));
        CHECK(shell::display_width(help.substr(at, end - at)) <= 80);
        at = end + 1;
    }
    CHECK(lines > s.table.commands().size());
    for (const Command& command : s.table.commands()) {
        CAPTURE(command.name);
        const std::size_t first = help.find("\n  " + command.name);
        REQUIRE(first != std::string::npos);
        CHECK(help.find("\n  " + command.name + " ", first + 1) == std::string::npos);
    }
    CHECK(help.starts_with("Calls\n  invite URI [WORD]"));
    CHECK(help.find("\nRegistration\n") < help.find("\nProgram\n"));
    CHECK(help.find("\nCalls\n") == std::string::npos); // the heading comes once
}

TEST_CASE("the help texts begin in one column") {
    const Sample s;
    const std::string help = s.table.help();
    const auto column = [&](const std::string& name) {
        const std::size_t line = help.find("\n  " + name + " ") + 1;
        return help.find("does what " + name, line) - line;
    };
    CHECK(column("info") == column("decline"));
    CHECK(column("info") == column("quit"));
}

TEST_CASE("help for one command has its usage, and an unknown one is a failure") {
    const Sample s;
    CHECK(s.table.help("D").value() ==
          "usage: reject [ID]\n  does what reject says, and says at some length what that is\n"
          "  also: D");
    CHECK_FALSE(s.table.help("nothing").has_value());
}

TEST_CASE("a long word is not cut in wrapping") {
    CHECK(shell::wrapped(std::string(100, 'x') + " y", 2) ==
          "  " + std::string(100, 'x') + "\n  y\n");
    CHECK(shell::wrapped("a b", 2) == "  a b\n");
}
