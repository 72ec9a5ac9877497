// A digit in an INFO of the peer's.
#include <doctest/doctest.h>

#include "app/commands/digits.hpp"
#include "app/notices.hpp"
#include "app/switchboard.hpp"

using revenant::app::digit_in;
using revenant::app::notice_of;
using revenant::app::sink_of;

TEST_CASE("a digit is found in both forms") {
    CHECK(digit_in("application/dtmf-relay: Signal=5\r\nDuration=160\r\n") == '5');
    CHECK(digit_in("Application/DTMF-Relay;x=y: Duration= 100\nsignal = # \n") == '#');
    CHECK(digit_in("application/dtmf-relay: Signal=10\r\n") == '*');
    CHECK(digit_in("application/dtmf-relay: Signal=c\r\n") == 'C');
    CHECK(digit_in("application/dtmf: 7\r\n") == '7');
    CHECK(digit_in("application/dtmf: 15") == 'D');
}

TEST_CASE("what is no digit is none") {
    for (const char* info :
         {"", "text/plain: 5", "application/dtmf: ", "application/dtmf: 16", "application/dtmf: 55",
          "application/dtmf-relay: 5", "application/dtmf-relay: Signal=\r\n", "application/dtmf",
          "application/dtmf-relay: Signal=E", "application/dtmf-relay2: Signal=5"}) {
        CAPTURE(info);
        CHECK_FALSE(digit_in(info));
    }
}

TEST_CASE("an INFO is shown as a digit or as text that cannot write on the terminal") {
    revenant::call::Call call;
    revenant::call::effect::Tell tell{.news = revenant::call::News::info,
                                      .detail = "text/plain: a\x1b[1m\r\nb"};
    const auto text = notice_of(call, tell, false);
    CHECK(text.text.find('\x1b') == std::string::npos);
    for (const auto& field : text.fields) {
        const auto* const value = std::get_if<std::string>(&field.second);
        CHECK((value == nullptr || value->find('\x1b') == std::string::npos));
    }
    tell.detail = "application/dtmf-relay: Signal=5\r\nDuration=160";
    CHECK(notice_of(call, tell, false).text.ends_with("digit 5"));
}

TEST_CASE("%c in a sink is the call's number") {
    CHECK(sink_of("file:/tmp/call-%c.wav", 7) == "file:/tmp/call-7.wav");
    CHECK(sink_of("file:%c/%c-100%%%c.wav", 12) == "file:12/12-100%12.wav");
    CHECK(sink_of("file:50%", 7) == "file:50%");
    CHECK(sink_of("file:%x.wav", 7) == "file:%x.wav");
    CHECK(sink_of("null", 7) == "null");
}
