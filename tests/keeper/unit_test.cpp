// What of the keeper needs no processes: reading messages, and how long to wait.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <chrono>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "keeper/backoff.hpp"
#include "keeper/message.hpp"
#include "keeper/watchdog.hpp"

using namespace revenant::keeper;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

// Lives one after another, as the back-off sees them.
class Lives {
public:
    explicit Lives(unsigned burst) : backoff_{burst} {}

    Clock::duration die_after(Clock::duration lived, bool came_up = false) {
        now_ += lived;
        const auto wait = backoff_.after_death(now_, lived, came_up);
        now_ += wait;
        return wait;
    }

private:
    Backoff backoff_;
    Clock::time_point now_{1h};
};

// A phone that says nothing, as the watchdog sees it. The keeper looks when it is due.
class Silence {
public:
    Silence() { watchdog_.begin(now_, 2s); }

    // The keeper looks until `passed` is over or it has seen enough; true: it has.
    bool lasts(Clock::duration passed, Glance glance, Clock::duration late = 0s, double share = 1) {
        const auto end = now_ + passed;
        while (*watchdog_.due() + late <= end) {
            const auto then = *watchdog_.due() + late;
            ran_ += std::chrono::duration_cast<Clock::duration>((then - now_) * share);
            now_ = then;
            glance.ran = ran_;
            if (watchdog_.look(now_, glance)) {
                return true;
            }
        }
        now_ = end;
        return false;
    }

    void speak() { watchdog_.heard(now_); }

private:
    Watchdog watchdog_;
    Clock::time_point now_{1h};
    Clock::duration ran_{};
};

} // namespace

TEST_CASE("two seconds without a word are a hang, in a circle or asleep") {
    for (const char state : {'R', 'S', '?'}) {
        Silence phone;
        CHECK_FALSE(phone.lasts(1900ms, {.state = state}));
        CHECK(phone.lasts(200ms, {.state = state}));
    }
}

TEST_CASE("a word begins the time anew") {
    Silence phone;
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(phone.lasts(1900ms, {.state = 'S'}));
        phone.speak();
    }
}

TEST_CASE("a phone that is stopped, debugged or waits for its disk does not hang") {
    for (const Glance& glance :
         {Glance{.state = 'T'}, Glance{.state = 't', .traced = true},
          Glance{.state = 'R', .traced = true}, Glance{.state = 'S', .traced = true},
          Glance{.state = 'D'}, Glance{.state = 'S', .in_store = true}}) {
        Silence phone;
        CHECK_FALSE(phone.lasts(1h, glance));
        // When it goes on it has a second for its word, and then hangs.
        CHECK_FALSE(phone.lasts(900ms, {.state = 'S'}));
        CHECK(phone.lasts(1200ms, {.state = 'S'}));
    }
}

TEST_CASE("a circle within the store is a hang") {
    Silence phone;
    CHECK(phone.lasts(2100ms, {.state = 'R', .in_store = true}));
}

TEST_CASE("a phone that does not get the processor does not hang, one that gets a little does") {
    Silence starved;
    CHECK_FALSE(starved.lasts(1min, {.state = 'R'}, 0s, 0.0001));
    Silence slow;
    CHECK(slow.lasts(3s, {.state = 'R'}, 0s, 0.05));
}

TEST_CASE("a keeper that was stopped counts its looks as if they had been in time") {
    Silence phone;
    CHECK_FALSE(phone.lasts(1h, {.state = 'S'}, 1h - 1s)); // one look, an hour late
    CHECK_FALSE(phone.lasts(700ms, {.state = 'S'}));
    CHECK(phone.lasts(500ms, {.state = 'S'}));
}

TEST_CASE("nobody looks at a phone that is not watched") {
    Watchdog watchdog;
    CHECK_FALSE(watchdog.due());
    watchdog.begin(Clock::time_point{1h}, 0s);
    CHECK_FALSE(watchdog.due());
    watchdog.begin(Clock::time_point{1h}, 2s);
    CHECK(watchdog.due() == Clock::time_point{1h + 1s});
    watchdog.end();
    CHECK_FALSE(watchdog.due());
}

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

TEST_CASE("deaths of a phone that had come up are waited for less than a second, however many") {
    Lives lives{5};
    for (int i = 0; i < 100; ++i) {
        CHECK(lives.die_after(10ms, true) <= 500ms);
    }
}

TEST_CASE("a life that came up ends the back-off of those that did not") {
    Lives lives{2};
    lives.die_after(1ms);
    CHECK(lives.die_after(1ms) == 500ms);
    CHECK(lives.die_after(1ms) == 1s);
    CHECK(lives.die_after(1ms, true) < 500ms);
    CHECK(lives.die_after(3s, true) == 0s);
    CHECK(lives.die_after(1ms) == 500ms);
    CHECK(lives.die_after(1ms) == 1s);
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

TEST_CASE("a limit of the watchdog is 1 ms to a day") {
    CHECK(read_message("WATCHDOG_USEC=2000000")->limit == 2s);
    CHECK(read_message("WATCHDOG_USEC=1000")->limit == 1ms);
    for (const auto text :
         {"WATCHDOG_USEC="sv, "WATCHDOG_USEC=0"sv, "WATCHDOG_USEC=999"sv, "WATCHDOG_USEC=-5000"sv,
          "WATCHDOG_USEC=2000000 "sv, "WATCHDOG_USEC=86400000001"sv,
          "WATCHDOG_USEC=99999999999999999999"sv}) {
        CHECK_FALSE(read_message(text)->limit);
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
