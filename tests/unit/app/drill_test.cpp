// The file that a drill's first life leaves for the second.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "app/drill.hpp"

using namespace revenant;
using app::DrillMark;
using app::encode;
using app::read_drill_mark;

TEST_CASE("what a drill writes is read again") {
    for (const DrillMark& mark :
         {DrillMark{.call = 1, .killed_ms = 1'790'000'000'000, .packets = 25},
          DrillMark{.call = 999'999, .killed_ms = 0, .packets = 18'446'744'073'709'551'615U}}) {
        CHECK(read_drill_mark(encode(mark)) == mark);
    }
}

TEST_CASE("what a drill did not write is refused") {
    const std::string good = encode({.call = 7, .killed_ms = 1'790'000'000'000, .packets = 25});
    REQUIRE(read_drill_mark(good));
    for (std::size_t length = 0; length < good.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(read_drill_mark(std::string_view{good}.substr(0, length)));
    }
    for (const std::string& text :
         {good + "x", good + "\n", good + good, "\n" + good, std::string(1000, 'x'),
          std::string{"revenant drill 1\ncall 7\nkilled_ms 1\npackets 1\n"}, // by the wall clock
          std::string{"revenant drill 3\ncall 7\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\nkilled_ms 1\ncall 7\npackets 1\n"},
          std::string{"revenant drill 2\ncall  7\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall 7 \nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall +7\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall -7\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall 0\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall 1000000\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall 4294967297\nkilled_ms 1\npackets 1\n"},
          std::string{"revenant drill 2\ncall 7\nkilled_ms 9223372036854775807\npackets 1\n"},
          std::string{"revenant drill 2\ncall 7\nkilled_ms 1\npackets 18446744073709551616\n"},
          std::string{"revenant drill 2\ncall 7\nkilled_ms\npackets 1\n"},
          std::string{"revenant drill 1\r\ncall 7\r\nkilled_ms 1\r\npackets 1\r\n"}}) {
        CAPTURE(text);
        CHECK_FALSE(read_drill_mark(text));
    }
}
