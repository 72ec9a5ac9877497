// What of the keeper needs no processes: reading messages, and how long to wait.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <chrono>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "keeper/backoff.hpp"
#include "keeper/message.hpp"

using namespace revenant::keeper;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

// Lives one after another, as the back-off sees them.
class Lives {
public:
    explicit Lives(unsigned burst) : backoff_{burst} {}

    Clock::duration die_after(Clock::duration lived) {
        now_ += lived;
        const auto wait = backoff_.after_death(now_, lived);
        now_ += wait;
        return wait;
    }

private:
    Backoff backoff_;
    Clock::time_point now_{1h};
};

} // namespace

TEST_CASE("the fifth fast death within 10 s is followed by a wait, which doubles up to 30 s") {
    Lives lives{5};
    for (int i = 0; i < 4; ++i) {
        CHECK(lives.die_after(10ms) == 0s);
    }
    for (const auto wait : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms}) {
        CHECK(lives.die_after(10ms) == wait);
    }
}

TEST_CASE("deaths that are not fast, or not close together, are not waited for") {
    Lives slow{5};
    Lives sparse{5};
    for (int i = 0; i < 100; ++i) {
        CHECK(slow.die_after(2s) == 0s);
        CHECK(sparse.die_after(10ms) == 0s);
        CHECK(sparse.die_after(5s) == 0s);
    }
}

TEST_CASE("a life of 10 s ends the back-off, a shorter one leaves it as it is") {
    Lives lives{2};
    lives.die_after(1ms);
    CHECK(lives.die_after(1ms) == 500ms);
    CHECK(lives.die_after(1ms) == 1s);
    CHECK(lives.die_after(5s) == 1s);
    CHECK(lives.die_after(1ms) == 2s);
    CHECK(lives.die_after(10s) == 0s);
    CHECK(lives.die_after(1ms) == 0s);
    CHECK(lives.die_after(1ms) == 500ms);
}

TEST_CASE("without a burst there is never a wait") {
    Lives lives{0};
    for (int i = 0; i < 100; ++i) {
        CHECK(lives.die_after(0s) == 0s);
    }
}

TEST_CASE("assignments are read wherever they stand, the rest is skipped") {
    const auto message =
        read_message("X=1\nREADY=1\n\nFDSTORE=1\nnoise\nSTATUS=a=b\nFDNAME=rtp\nFDPOLL=0");
    REQUIRE(message);
    CHECK(message->ready);
    CHECK(message->store);
    CHECK_FALSE(message->remove);
    CHECK(message->status == "a=b");
    CHECK(message->name == "rtp");
}

TEST_CASE("a value is compared whole, a key too") {
    for (const auto text :
         {"READY=10"sv, "READY="sv, "READY"sv, " READY=1"sv, "READY=1 "sv, "ready=1"sv, ""sv}) {
        const auto message = read_message(text);
        REQUIRE(message);
        CHECK_FALSE(message->ready);
    }
}

TEST_CASE("one NUL may end a message, none may stand in it") {
    CHECK(read_message("READY=1\0"sv)->ready);
    CHECK_FALSE(read_message("READY=1\0\0"sv));
    CHECK_FALSE(read_message("READY=1\0FDSTORE=1"sv));
}

TEST_CASE("names are what LISTEN_FDNAMES can carry") {
    CHECK(is_valid_name(""));
    CHECK(is_valid_name("sip udp [::1"sv.substr(0, 9)));
    CHECK(is_valid_name(std::string(255, 'n')));
    CHECK_FALSE(is_valid_name(std::string(256, 'n')));
    for (const auto name : {"a:b"sv, "a\nb"sv, "\x7f"sv, "\x80"sv, "\0"sv}) {
        CHECK_FALSE(is_valid_name(name));
    }
}
