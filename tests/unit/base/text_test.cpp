// Text from outside is made harmless, numbers are read with bounds.
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "revenant/base/random.hpp"
#include "revenant/base/text.hpp"

using namespace revenant;
using base::is_utf8;
using base::printable;
using base::to_port;
using base::to_u32;

TEST_CASE("printable text moves no cursor and sets no colour") {
    CHECK(printable("plain text") == "plain text");
    CHECK(printable("\x1B[31mred\x1B[0m") == "?[31mred?[0m");
    CHECK(printable("a\r\nb\tc\bd\x7F") == "a??b?c?d?");
    CHECK(printable(std::string_view{"a\0b", 3}) == "a?b");
    CHECK(printable("\xC2\x9B"
                    "31m") == "?31m"); // CSI as one C1 character
    CHECK(printable("\xC2\x85") == "?");
}

TEST_CASE("printable text reads in one direction and on one line") {
    // NOLINTBEGIN(misc-misleading-bidirectional): these are what is tested
    for (const char* code : {"\xE2\x80\xAE", "\xE2\x80\xAA", "\xE2\x81\xA6", "\xE2\x81\xA9",
                             "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
        // NOLINTEND(misc-misleading-bidirectional)
        CHECK(printable(std::string{"a"} + code + "b") == "a?b");
    }
}

TEST_CASE("names in other alphabets stay as they are") {
    for (const char* name : {"Jos\xC3\xA9", "\xE6\x97\xA5\xE6\x9C\xAC", "\xF0\x9F\x93\x9E",
                             "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"}) {
        CHECK(printable(name) == name);
        CHECK(is_utf8(name));
    }
}

TEST_CASE("what is no UTF-8 is replaced, byte by byte") {
    for (const char* bad : {"\xC0\xAF",                 // overlong
                            "\xE0\x80\xAF",             // overlong
                            "\xF0\x80\x80\xAF",         // overlong
                            "\xED\xA0\x80",             // a surrogate
                            "\xF4\x90\x80\x80",         // above U+10FFFF
                            "\xF5\x80\x80\x80", "\xFF", // never in UTF-8
                            "\xE2\x82",                 // cut
                            "\x80", "\xC3"}) {
        CHECK_FALSE(is_utf8(bad));
        const std::string shown = printable(bad);
        CHECK(shown == std::string(std::string_view{bad}.size(), '?'));
        CHECK(is_utf8(shown));
    }
}

TEST_CASE("text is cut between characters, never within one") {
    CHECK(printable("abc", 2) == "ab");
    CHECK(printable("abc", 0).empty());
    CHECK(printable("\xE6\x97\xA5\xE6\x9C\xAC", 5) == "\xE6\x97\xA5");
    CHECK(printable("\xE6\x97\xA5\xE6\x9C\xAC", 2).empty());
    CHECK(printable(std::string(10'000, 'x')).size() == 512);
    CHECK(printable("\x1B\x1B\x1B", 2) == "??");
}

TEST_CASE("a number is the whole of the text, without sign and blanks") {
    CHECK(to_u32("0") == 0U);
    CHECK(to_u32("007") == 7U);
    CHECK(to_u32("4294967295") == std::numeric_limits<std::uint32_t>::max());
    for (const char* bad : {"", " 1", "1 ", "+1", "-1", "1.0", "0x10", "4294967296",
                            "99999999999999999999", "1a", "a", "\xD9\xA1"}) {
        CAPTURE(bad);
        CHECK_FALSE(to_u32(bad));
    }
    CHECK_FALSE(to_u32(std::string_view{"1\0", 2}));
}

TEST_CASE("a port is 1 to 65535") {
    CHECK(to_port("1") == 1);
    CHECK(to_port("65535") == 65535);
    for (const char* bad : {"0", "65536", "-5", "", "5060x", "4294967297"}) {
        CAPTURE(bad);
        CHECK_FALSE(to_port(bad));
    }
}

TEST_CASE("letters are compared as ASCII whatever the locale") {
    CHECK(base::to_lower("PCMU-\xC3\x89") == "pcmu-\xC3\x89");
    CHECK(base::equals_ignoring_case("Sip", "sIP"));
    CHECK_FALSE(base::equals_ignoring_case("sip", "sips"));
    CHECK_FALSE(base::equals_ignoring_case("sip", "sio"));
    CHECK(base::equals_ignoring_case("", ""));
    CHECK_FALSE(base::equals_ignoring_case("@", "`")); // 0x20 apart, but no letters
}

TEST_CASE("trim() takes blanks and line ends from both ends only") {
    CHECK(base::trim(" \t\r\n a b \r\n") == "a b");
    CHECK(base::trim(" \r\n").empty());
    CHECK(base::trim("").empty());
    CHECK(base::trim("\va") == "\va");
}

TEST_CASE("random tokens have the length asked for, the alphabet promised, and differ") {
    std::set<std::string> seen;
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string token = base::random_token(length);
        CHECK(token.size() == length);
        CHECK(token.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string::npos);
    }
    std::set<char> letters;
    for (int i = 0; i < 1000; ++i) {
        const std::string token = base::random_token(13);
        seen.insert(token);
        letters.insert(token.begin(), token.end());
    }
    CHECK(seen.size() == 1000);
    CHECK(letters.size() == 36);
}

TEST_CASE("random numbers differ beyond one fetch from the kernel") {
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(base::random_u32());
    }
    CHECK(seen.size() > 990);
}
