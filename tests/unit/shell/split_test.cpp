#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/shell/command.hpp"

using revenant::base::Errc;
using revenant::shell::split_line;
using Words = std::vector<std::string>;

TEST_CASE("blanks and tabs separate words") {
    CHECK(split_line("  invite\t sip:bob@example.org  ") == Words{"invite", "sip:bob@example.org"});
    CHECK(split_line("") == Words{});
    CHECK(split_line(" \t ") == Words{});
}

TEST_CASE("quotes keep blanks, and may stand inside a word") {
    CHECK(split_line("say 'a b' \"c d\" e' 'f") == Words{"say", "a b", "c d", "e f"});
    CHECK(split_line("say '' \"\"") == Words{"say", "", ""});
}

TEST_CASE("a backslash escapes, but not inside single quotes") {
    CHECK(split_line(R"(say a\ b \"c \\ "d\"e" 'f\g')") ==
          Words{"say", "a b", "\"c", "\\", "d\"e", "f\\g"});
}

TEST_CASE("a # begins a comment only at the start of the line's first word") {
    CHECK(split_line("info 12# # and on") == Words{"info", "12#", "#", "and", "on"});
    CHECK(split_line("info #") == Words{"info", "#"});
    CHECK(split_line("  # all of it") == Words{});
    CHECK(split_line("# all of it, even an open ' quote") == Words{});
    CHECK(split_line("dtmf \\#") == Words{"dtmf", "#"});
    CHECK(split_line("dtmf '#'") == Words{"dtmf", "#"});
}

TEST_CASE("a line end of either kind is no part of the line") {
    CHECK(split_line("list\r\n") == Words{"list"});
    CHECK(split_line("list\n") == Words{"list"});
    CHECK(split_line("say a\\ \n") == Words{"say", "a "}); // an escaped blank is
}

TEST_CASE("an open quote and a last backslash are refused, with the reason") {
    for (const char* line : {"say 'a b", "say \"a", "say \"a\\", "say a\\"}) {
        CAPTURE(line);
        const auto words = split_line(line);
        REQUIRE_FALSE(words.has_value());
        CHECK(words.error().code == Errc::bad_input);
    }
    CHECK(split_line("say 'a").error().context == "the quote ' is never closed");
}

TEST_CASE("a control character anywhere is refused, in a comment too") {
    for (const std::string line : {"say \033[2J", "say a\nb", "say \x7f", "list # \x01",
                                   "say \xC2\x9B"
                                   "31m"}) {
        CAPTURE(line);
        CHECK_FALSE(split_line(line).has_value());
    }
    CHECK(split_line("say a" + std::string(1, '\0') + "b").has_value() == false);
    CHECK(split_line("say \xC2 x") == Words{"say", "\xC2", "x"}); // not UTF-8, and harmless here
    CHECK(split_line("say \xC3\xBC\xE2\x82\xAC") == Words{"say", "\xC3\xBC\xE2\x82\xAC"});
}

TEST_CASE("4096 bytes are a line, 4097 are not") {
    CHECK(split_line(std::string(4096, 'x')).has_value());
    CHECK_FALSE(split_line(std::string(4097, 'x')).has_value());
}
