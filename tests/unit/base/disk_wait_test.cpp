#include <atomic>
#include <cstdint>

#include <doctest/doctest.h>

#include "revenant/base/disk_wait.hpp"

using namespace revenant;

TEST_CASE("waits for a disk are counted while they last, one within another too") {
    static std::atomic<std::uint32_t> counter{7};
    const base::DiskWait before;
    base::count_disk_waits(counter);
    CHECK(counter == 1); // the one that goes on
    {
        const base::DiskWait outer;
        const base::DiskWait inner;
        CHECK(counter == 3);
    }
    CHECK(counter == 1);
}

TEST_CASE("getting on is told to whoever asked last") {
    int told = 0;
    base::get_on();
    base::when_getting_on([&told] { ++told; });
    base::get_on();
    base::get_on();
    base::when_getting_on({});
    base::get_on();
    CHECK(told == 2);
}
