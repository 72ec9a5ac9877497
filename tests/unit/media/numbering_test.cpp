#include <doctest/doctest.h>

#include "media/plan.hpp"
#include "media/rtp/numbering.hpp"
#include "revenant/base/clock.hpp"

using namespace revenant::media;
using revenant::base::Now;

namespace {

constexpr std::int64_t ms = 1'000'000;
const Run run{.index = 0x1fff0,
              .timestamp = 0xffffff00,
              .step = 160,
              .boot_ns = 1000 * ms,
              .real_ns = 5'000'000 * ms,
              .period_ns = 20 * ms};

} // namespace

TEST_CASE("a packet is due from its slot on") {
    CHECK(index_at(run, 1000 * ms) == 0x1fff0);
    CHECK(index_at(run, 1000 * ms - 1) == 0x1ffef);
    CHECK(index_at(run, 1020 * ms - 1) == 0x1fff0);
    CHECK(index_at(run, 1020 * ms) == 0x1fff1);
    CHECK(index_at(run, 0) == 0x1fff0 - 50);
}

TEST_CASE("timestamps wrap like the 32 bits that they are") {
    CHECK(timestamp_of(run, 0x1fff0) == 0xffffff00U);
    CHECK(timestamp_of(run, 0x1fff2) == 0xffffff00U + 320U);
    CHECK(timestamp_at(run, 1010 * ms) == 0xffffff00U + 80U);
    CHECK(timestamp_at(run, 1040 * ms) == timestamp_of(run, 0x1fff2));
    CHECK(timestamp_at(run, 990 * ms) == 0xffffff00U - 80U);
    // A year of calling overflows nothing.
    const std::int64_t year_ms = std::int64_t{365} * 86'400'000;
    CHECK(timestamp_at(run, (1000 + year_ms) * ms) ==
          0xffffff00U + static_cast<std::uint32_t>(year_ms * 8));
}

TEST_CASE("the run after a pause goes on with the next number and the clock's timestamp") {
    const Now now{.boot_ns = 3003 * ms, .real_ns = 9'000'003 * ms};
    const auto next = next_run(run, 0x1fff5, 3005 * ms, now, 80, 10 * ms);
    CHECK(next.index == 0x1fff6);
    CHECK(next.timestamp == 0xffffff00U + 2005 * 8);
    CHECK(next.real_ns == 9'000'005 * ms);
    CHECK(next.step == 80);
    CHECK(index_at(next, 3005 * ms) == 0x1fff6);
}

TEST_CASE("the run after a pause never repeats a timestamp, even when the clock stepped back") {
    const Now now{.boot_ns = 900 * ms, .real_ns = 1 * ms};
    const auto next = next_run(run, 0x1fff5, 905 * ms, now, 160, 20 * ms);
    CHECK(next.index == 0x1fff6);
    CHECK(next.timestamp == timestamp_of(run, 0x1fff6));
    // Nothing was sent at all: the first index is still free.
    CHECK(next_run(run, 0, 1005 * ms, now, 160, 20 * ms).index == run.index);
}

TEST_CASE("a run is told in another boot's clock on the grid, at most one grid step early") {
    const auto told = rebased(run, {.boot_ns = 77 * ms, .real_ns = run.real_ns + 40 * ms});
    CHECK(told.boot_ns % grid_ns == 0);
    CHECK(told.boot_ns <= 37 * ms);
    CHECK(told.boot_ns > 37 * ms - grid_ns);
    CHECK(told.real_ns == run.real_ns);
}

TEST_CASE("the next slot of a phase lies ahead, on the grid, within one period") {
    for (std::int64_t at = 0; at < 100 * ms; at += 777'777) {
        for (std::int64_t phase = 0; phase < 9; ++phase) {
            const auto next = next_in_phase(at, phase, 20 * ms);
            CHECK(next > at);
            CHECK(next <= at + 20 * ms);
            CHECK(next % grid_ns == 0);
            CHECK(next / grid_ns % 4 == phase % 4);
        }
    }
}

TEST_CASE("a run tells the clock that its timestamps have") {
    CHECK(clock_rate_of(run) == 8000);
    for (const std::uint32_t rate : revenant::call::Segment::clock_rates) {
        for (const std::int64_t period : {10 * ms, 20 * ms, 60 * ms}) {
            Run other = run;
            other.period_ns = period;
            other.step = static_cast<std::uint32_t>(units_in(period, rate));
            CHECK(clock_rate_of(other) == rate);
        }
    }
}

TEST_CASE("a span has its whole units, however long the machine has been up") {
    CHECK(units_in(124'999, 8000) == 0);
    CHECK(units_in(125'000, 8000) == 1);
    CHECK(units_in(3 * ms, 44'100) == 132);
    constexpr std::int64_t year_s = std::int64_t{365} * 86'400;
    CHECK(units_in(200 * year_s * second_ns, 48'000) == 200 * year_s * 48'000);
    CHECK(microseconds_of(3, 8000) == 375);
    CHECK(microseconds_of(UINT32_MAX, 8000) == std::uint64_t{UINT32_MAX} * 125);
}

TEST_CASE("what the last segment may have sent is counted by that one's clock") {
    const std::int64_t second = 1000 * ms;
    revenant::call::Segment segment{.seq = 7,
                                    .ts = 5000,
                                    .clock_rate = 16'000,
                                    .boot_ns = 10 * second,
                                    .real_ns = 500 * second,
                                    .boot_id = revenant::base::boot_id()};
    const Plan plan; // of 8000
    const Now now{.boot_ns = 12 * second, .real_ns = 502 * second};
    const Run next = first_run(segment, plan, true, 0, now);
    const std::int64_t since = next.boot_ns - segment.boot_ns;
    CHECK(next.timestamp == 5000 + units_in(since, 16'000));
    CHECK(next.step == 160);
    segment.clock_rate = 8000;
    CHECK(first_run(segment, plan, true, 0, now).timestamp == 5000 + units_in(since, 8000));
    // What it certainly has not sent begins where the record says.
    CHECK(first_run(segment, plan, false, 0, now).timestamp == 5000);
}
