// Deadlines and ages when the wall clock steps, and over a reboot.
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

namespace revenant::call {

namespace {

const std::string this_boot = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa";
const std::string another_boot = "c1a5f0de-0000-4a53-9f0e-1de2d7a0b0aa";
constexpr std::int64_t hour_ms = 3'600'000;

// Answered 50 s ago, its session ends in 15 minutes.
Dialog stored(const std::string& boot_id) {
    Dialog d = sample_call(State::established).dialog;
    d.timer = {.interval_s = 1800,
               .min_se_s = 90,
               .refresher = Refresher::local,
               .deadline_ms = sample_now.real_ms() + 900'000};
    d.boot = {.id = boot_id,
              .established_ms = sample_now.boot_ms() - 50'000,
              .deadline_ms = sample_now.boot_ms() + 900'000,
              .ring_until_ms = sample_now.boot_ms() + 30'000};
    d.in_flight.ring_until_ms = sample_now.real_ms() + 30'000;
    return d;
}

base::Now stepped(std::int64_t step_ms) {
    base::Now now = sample_now;
    now.real_ns += step_ms * 1'000'000;
    return now;
}

} // namespace

TEST_CASE("in the same boot a step of the wall clock changes no deadline and no age") {
    for (const std::int64_t step_ms : {-hour_ms, hour_ms}) {
        Dialog d = stored(this_boot);
        move_into_boot(d, this_boot, stepped(step_ms));
        CHECK(d.boot == stored(this_boot).boot);
        // What a later boot would go by is told by the clock as it is now.
        CHECK(d.timer.deadline_ms == sample_now.real_ms() + step_ms + 900'000);
        CHECK(d.in_flight.ring_until_ms == sample_now.real_ms() + step_ms + 30'000);
        CHECK(d.established_ms == stored(this_boot).established_ms);
    }
}

TEST_CASE("after a reboot the wall clock tells the boot clock's times") {
    // The machine was off for a minute, and this boot began 20 s ago.
    const base::Now now{.boot_ns = 20'000'000'000, .real_ns = sample_now.real_ns + 60'000'000'000};
    Dialog d = stored(another_boot);
    SUBCASE("of another boot") {}
    SUBCASE("of a record that does not have them") {
        d.boot = {};
    }
    move_into_boot(d, this_boot, now);
    CHECK(d.boot.id == this_boot);
    CHECK(d.boot.established_ms == 20'000 - 60'000 - 50'000);
    CHECK(d.boot.deadline_ms == 20'000 + 840'000);
    CHECK(d.boot.ring_until_ms == 20'000 - 30'000);
    CHECK(d.timer.deadline_ms == stored(another_boot).timer.deadline_ms);
}

TEST_CASE("where the boot has no name, no record is of it") {
    Dialog d = stored("");
    move_into_boot(d, "", stepped(hour_ms));
    CHECK(d.boot.deadline_ms == sample_now.boot_ms() + 900'000 - hour_ms);
}

TEST_CASE("what has no deadline gets none from the clock") {
    Dialog d = stored(this_boot);
    d.timer = {};
    d.in_flight = {};
    move_into_boot(d, this_boot, stepped(hour_ms));
    CHECK(d.timer == SessionTimer{});
    CHECK(d.in_flight == InFlight{});
}

TEST_CASE("times that no clock can have shown do no harm") {
    for (const std::int64_t absurd : {-BootTimes::most_ms, BootTimes::most_ms}) {
        Dialog d = stored(this_boot);
        d.boot.deadline_ms = absurd;
        move_into_boot(d, this_boot, sample_now);
        CHECK(d.timer.deadline_ms > 0);
    }
    Dialog d = stored(another_boot);
    d.timer.deadline_ms = std::numeric_limits<std::int64_t>::max();
    d.established_ms = std::numeric_limits<std::int64_t>::max();
    move_into_boot(d, this_boot, sample_now);
    CHECK(d.boot.deadline_ms > sample_now.boot_ms());
    // Told again in a later boot, and used.
    move_into_boot(d, another_boot, sample_now);
    CHECK(d.boot.established_ms > sample_now.boot_ms());
}

TEST_CASE("a step of the wall clock makes no answer older than it is") {
    for (const std::int64_t step_ms : {-hour_ms, hour_ms}) {
        Call call = sample_call(State::answering);
        call.dialog.boot.established_ms = sample_now.boot_ms() - 10'000;
        const Step back =
            step(revive(call.dialog, 2, our_codecs()), event::Restore{}, stepped(step_ms));
        const Step ready = step(back.call, event::Ready{}, stepped(step_ms));
        CHECK(ready.call.state == State::replaying);
    }
}

} // namespace revenant::call
