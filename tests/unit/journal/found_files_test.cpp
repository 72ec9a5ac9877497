// What a start finds in the state directory, and what it makes of it.
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using base::Errc;
using journal::Loaded;

TEST_CASE("what cannot be decoded is set aside under a name of its own, never deleted") {
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.record("3.json"), "garbage");
    write(directory.record("3.json.corrupt"), "older garbage");
    write(directory.record("4.json"), journal::encode(numbered(5)));
    write(directory.record("6.json"), "");
    fs::resize_file(directory.record("6.json"), 1ULL << 40U); // a hole: takes no space
    write(directory.record("7.json"), journal::encode(numbered(7)));
    write(directory.record("8.json"), "");
    const Loaded loaded = restart(directory);
    CHECK(loaded.dialogs == std::vector{numbered(7)});
    CHECK(loaded.taken.empty());
    REQUIRE(loaded.rejected.size() == 5); // the epoch too
    CHECK(loaded.rejected[0].path == directory.record("3.json.corrupt.1"));
    CHECK(loaded.rejected[0].error.code == Errc::corrupt);
    CHECK(mentions(loaded.rejected[1].error.context, "is of call 5"));
    CHECK(mentions(loaded.rejected[2].error.context, "1048576"));
    CHECK(read(directory.record("3.json.corrupt")) == "older garbage");
    CHECK(read(directory.record("3.json.corrupt.1")) == "garbage");
    CHECK(fs::file_size(directory.record("6.json.corrupt")) == 1ULL << 40U);
    CHECK(restart(directory).dialogs.size() == 1);
}

TEST_CASE("what is put away has a name of its own, and no start reads it") {
    const TemporaryDirectory directory;
    auto store = open(directory.state());
    static_cast<void>(load(*store));
    REQUIRE(store->save(numbered(3)));
    REQUIRE(store->save(numbered(4)));
    const std::string content = read(directory.record("3.json"));
    store = nullptr;
    store = open(directory.state());
    const auto first = store->quarantine(3); // before anything is read
    REQUIRE(first);
    CHECK(*first == directory.record("3.json.quarantined"));
    CHECK(read(*first) == content);
    Loaded loaded = load(*store);
    REQUIRE(loaded.dialogs.size() == 1);
    CHECK(loaded.taken.empty());
    REQUIRE(store->save(numbered(3))); // the number is free
    const auto second = store->quarantine(3);
    REQUIRE(second);
    CHECK(*second == directory.record("3.json.quarantined.1"));
    CHECK(read(*first) == content);
    CHECK_FALSE(store->quarantine(77)); // there is none
    store = nullptr;
    CHECK(restart(directory).dialogs.size() == 1);
    CHECK(fs::exists(*first));
}

TEST_CASE("of hundreds of records, as of one, the good are found in order and the bad are named") {
    constexpr call::Number count = 700;
    const TemporaryDirectory directory;
    open(directory.state());
    std::vector<call::Dialog> good;
    for (call::Number number = 1; number <= count; ++number) {
        const std::string path = directory.record(std::to_string(number) + ".json");
        if (number % 100 == 50) {
            write(path, "garbage");
        } else if (number % 100 == 99) {
            write(path, "{\"schema\":4}");
        } else {
            good.push_back(numbered(number));
            write(path, journal::encode(good.back()));
        }
    }
    const Loaded loaded = restart(directory);
    CHECK(loaded.dialogs == good);
    CHECK(loaded.taken == std::vector<call::Number>{99, 199, 299, 399, 499, 599, 699});
    REQUIRE(loaded.rejected.size() == 15); // the epoch too
    CHECK(loaded.rejected[0].path == directory.record("50.json.corrupt"));
    CHECK(loaded.rejected[1].path == directory.record("99.json"));
    CHECK(loaded.rejected[12].path == directory.record("650.json.corrupt"));
    CHECK(loaded.rejected[13].path == directory.record("699.json"));
}

TEST_CASE("a record of a later schema stays, and its number is taken") {
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.record("7.json"), "{\"schema\":4}");
    const auto store = open(directory.state());
    const Loaded loaded = load(*store);
    CHECK(loaded.taken == std::vector<call::Number>{7});
    REQUIRE(loaded.rejected.size() == 2);
    CHECK(loaded.rejected[0].error.code == Errc::too_new);
    CHECK(loaded.rejected[0].path == directory.record("7.json"));
    CHECK_FALSE(store->save(numbered(7)));
    CHECK_FALSE(store->remove(7));
    CHECK(store->save(numbered(8)));
    CHECK(read(directory.record("7.json")) == "{\"schema\":4}");
}

TEST_CASE("strange things in the directory do no harm") {
    const TemporaryDirectory directory;
    open(directory.state());
    const std::string outside = directory.path / "outside.json";
    write(outside, journal::encode(numbered(1)));
    fs::create_symlink(outside, directory.record("1.json"));
    fs::create_directories(directory.record("2.json/inside"));
    REQUIRE(::mkfifo(directory.record("3.json").c_str(), 0600) == 0);
    write(directory.record("04.json"), "");
    write(directory.record("0.json"), "");
    write(directory.record("1000000.json"), "");
    write(directory.record("-5.json"), "");
    write(directory.record(".json"), "");
    write(directory.record("README"), "");
    fs::create_directories(directory.record("1.tmp"));
    const auto store = open(directory.state());
    const Loaded loaded = load(*store);
    CHECK(loaded.dialogs.empty());
    CHECK(loaded.taken == std::vector<call::Number>{1, 2, 3});
    CHECK(loaded.rejected.size() == 9);
    CHECK_FALSE(store->save(numbered(2)));
    CHECK(journal::decode(read(outside)) == numbered(1));
    CHECK(fs::exists(directory.record("2.json/inside")));
    CHECK(fs::exists(directory.record("04.json")));
}

TEST_CASE("a record without read permission is reported and left") {
    const Unprivileged unprivileged;
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.record("7.json"), journal::encode(numbered(7)));
    write(directory.record("8.json"), journal::encode(numbered(8)));
    fs::permissions(directory.record("7.json"), fs::perms::none);
    const Loaded loaded = restart(directory);
    CHECK(loaded.dialogs == std::vector{numbered(8)});
    CHECK(loaded.taken == std::vector<call::Number>{7});
    REQUIRE(!loaded.rejected.empty());
    CHECK(loaded.rejected[0].error.code == Errc::io);
    CHECK(fs::exists(directory.record("7.json")));
}

TEST_CASE("leftovers of a killed process are written over, and removed at an orderly end") {
    const TemporaryDirectory directory;
    open(directory.state());
    write(directory.record("3.tmp"), std::string(9000, 'x'));
    write(directory.record("03.tmp"), "not a name that we give");
    fs::create_directories(directory.record("8.tmp"));
    {
        const auto store = open(directory.state());
        const Loaded loaded = load(*store);
        CHECK(loaded.rejected.empty());
        CHECK(names_in(directory.state() + "/dialogs") ==
              std::vector<std::string>{"3.tmp", "8.tmp"});
        REQUIRE(store->save(numbered(7)));
        CHECK(names_in(directory.state() + "/dialogs") ==
              std::vector<std::string>{"7.json", "8.tmp"});
        REQUIRE(store->save(numbered(9))); // under a name that nothing has
        CHECK(read(directory.record("7.json")) == journal::encode(numbered(7)));
        REQUIRE(store->remove(9));
    }
    CHECK(names_in(directory.state() + "/dialogs") == std::vector<std::string>{"7.json", "8.tmp"});
}

TEST_CASE("a start keeps no more spares than a running phone does") {
    const TemporaryDirectory directory;
    open(directory.state());
    for (int i = 1; i <= 300; ++i) {
        write(directory.record(fmt::format("{}.tmp", i)), "old");
    }
    const auto store = open(directory.state());
    (void)load(*store);
    CHECK(names_in(directory.state() + "/dialogs").size() == 256);
}

TEST_CASE("a start frees no blocks: it unlinks nothing and makes nothing shorter") {
    const TemporaryDirectory directory;
    const std::string state = directory.state();
    std::array<ino_t, 2> inodes{}; // of the epoch after an even and an odd start
    for (std::uint32_t start = 1; start < 12; ++start) { // also from the 9th to the 10th
        CHECK(fs::exists(state + "/epoch.tmp") ==
              (start > 1)); // no start but the first needs space
        const auto store = open(state);
        (void)load(*store);
        REQUIRE(store->next_epoch() == start);
        CHECK(read(state + "/epoch") == fmt::format("{}\n", start));
        CHECK(fs::file_size(state + "/lock") == 11);
        const ino_t before = std::exchange(inodes.at(start % 2), inode(state + "/epoch"));
        CHECK((start <= 2 || before == inode(state + "/epoch")));
    }
}

} // namespace
