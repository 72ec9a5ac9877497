#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/shell/command.hpp"
#include "shell/completion.hpp"

using namespace revenant::shell;
using Words = std::vector<std::string>;

namespace {

Command command(const std::string& name,
                Words aliases,
                std::vector<Completes> completes,
                std::size_t arguments_max,
                Words words = {}) {
    return {.name = name,
            .aliases = std::move(aliases),
            .arguments = {},
            .help = "help",
            .group = "Calls",
            .arguments_min = 0,
            .arguments_max = arguments_max,
            .completes = std::move(completes),
            .words = std::move(words),
            .secret = false,
            .run = [](const Arguments&, const Done& done) { done({}); }};
}

Table sample() {
    Table table;
    table.add(command("hold", {}, {Completes::call_id}, 1));
    table.add(command("invite", {"i"}, {Completes::uri}, 1));
    table.add(command("play", {}, {Completes::call_id, Completes::file}, 5));
    table.add(command("quit", {"q", "exit"}, {}, 0));
    table.add(command("help", {"h"}, {Completes::command}, 1));
    table.add(command("wait", {}, {Completes::condition}, 1));
    table.add(command("resume", {}, {Completes::words}, 1, {"auto", "ask"}));
    return table;
}

Words offered(std::string_view before, std::string_view word) {
    static const Table table = sample();
    const Offers offers{
        .call_ids =
            [] {
                return Words{"1", "2", "12"};
            },
        .uris =
            [] {
                return Words{"sip:bob@example.org", "sip:a b@x", "sip:\033[2J@x"};
            },
        .conditions =
            [] {
                return Words{"established", "ended"};
            },
    };
    Candidates found = candidates(table, offers, before, word);
    if (found.files) {
        found.words.emplace_back("(files)");
    }
    return found.words;
}

} // namespace

TEST_CASE("the first word completes to command names") {
    CHECK(offered("", "h") == Words{"hold", "help"});
    CHECK(offered("  ", "in") == Words{"invite"});
    CHECK(offered("", "").size() == 7);
}

TEST_CASE("an alias is offered only when no name begins like it") {
    CHECK(offered("", "ex") == Words{"exit"});
    CHECK(offered("", "q") == Words{"quit"});
}

TEST_CASE("arguments complete as their command says") {
    CHECK(offered("hold ", "1") == Words{"1", "12"});
    CHECK(offered("wait ", "e") == Words{"established", "ended"});
    CHECK(offered("help ", "wa") == Words{"wait"});
    CHECK(offered("resume ", "a") == Words{"auto", "ask"});
    CHECK(offered("play 1 ", "") == Words{"(files)"});
}

TEST_CASE("the last kind of argument repeats, up to the number that the command takes") {
    CHECK(offered("play 1 a b ", "") == Words{"(files)"});
    CHECK(offered("play 1 a b c d ", "") == Words{});
    CHECK(offered("hold 1 ", "") == Words{});
    CHECK(offered("quit ", "") == Words{});
}

TEST_CASE("a URI that would need quoting or move the cursor is not offered") {
    CHECK(offered("i ", "sip:") == Words{"sip:bob@example.org"});
}

TEST_CASE("nothing is offered after an unknown command, in a comment, or in a broken line") {
    CHECK(offered("frob ", "") == Words{});
    CHECK(offered("# ", "h") == Words{});
    CHECK(offered("hold 'x ", "") == Words{});
}

TEST_CASE("a quoted file name is read back by split_line") {
    for (const std::string name : {"plain.wav", "two words.wav", "a'b\"c\\d.wav", "#1.wav"}) {
        CAPTURE(name);
        CHECK(split_line(quoted_name(name, '\0')) == Words{name});
        CHECK(split_line("\"" + quoted_name(name, '"') + "\"") == Words{name});
        CHECK(unquoted_name(quoted_name(name, '\0'), '\0') == name);
        CHECK(unquoted_name(quoted_name(name, '"'), '"') == name);
    }
    CHECK(split_line("'" + quoted_name("a b\\c", '\'') + "'") == Words{"a b\\c"});
}
