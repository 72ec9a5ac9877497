// The number of a start, which no other start has.
#include <cstdint>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using journal::Loaded;

TEST_CASE("every start has an epoch of its own, stored before it is known") {
    const TemporaryDirectory directory;
    for (std::uint32_t expected = 1; expected <= 3; ++expected) {
        const auto store = open(directory.state());
        CHECK(load(*store).rejected.empty());
        CHECK(store->next_epoch() == expected);
        CHECK(read(directory.state() + "/epoch") == std::to_string(expected) + "\n");
    }
    const auto store = open(directory.state());
    (void)load(*store);
    base::Result<std::uint32_t> epoch = 0;
    with_small_files([&] { epoch = store->next_epoch(); });
    CHECK(epoch == 4U); // five bytes still fit
    fs::remove_all(directory.state());
    CHECK_FALSE(store->next_epoch());
}

TEST_CASE("a lost epoch goes on far above every record, and says so") {
    for (const char* text : {"", "garbage\n", "-1", "4294967296", "1.5", "2"}) {
        const TemporaryDirectory directory;
        open(directory.state());
        write(directory.record("7.json"), journal::encode(numbered(7))); // of epoch 3
        write(directory.state() + "/epoch", text);
        {
            const auto store = open(directory.state());
            const Loaded loaded = load(*store);
            REQUIRE(loaded.rejected.size() == 1);
            CHECK(loaded.rejected[0].path == directory.state() + "/epoch");
            CHECK(store->next_epoch() == 1004U);
        }
        const auto store = open(directory.state());
        CHECK(load(*store).rejected.empty());
        CHECK(store->next_epoch() == 1005U);
    }
}

TEST_CASE("an epoch file that was deleted is missed while there are records") {
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.record("7.json"), journal::encode(numbered(7)));
    const auto store = open(directory.state());
    CHECK(load(*store).rejected.size() == 1);
    CHECK(store->next_epoch() == 1004U);
}

TEST_CASE("the last epoch is followed by none") {
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.state() + "/epoch", "4294967295\n");
    const auto store = open(directory.state());
    (void)load(*store);
    CHECK_FALSE(store->next_epoch());
}

} // namespace
