#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "media/rtp/page.hpp"
#include "unit/fakes/media_peer.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

namespace {

Run run_at(std::uint64_t index, std::int64_t boot_ns = 5'000'000'000) {
    return {.index = index,
            .timestamp = static_cast<std::uint32_t>(index * 3),
            .step = 160,
            .boot_ns = boot_ns,
            .real_ns = boot_ns + 1'000'000'000'000'000'000,
            .period_ns = 20'000'000};
}

void damage(const std::string& path, off_t at, const std::string& bytes) {
    const base::Fd file{::open(path.c_str(), O_RDWR)};
    REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), at) ==
            static_cast<ssize_t>(bytes.size()));
}

constexpr off_t first_slot = 4096;

} // namespace

TEST_CASE("a slot is found again by the next process with all its numbers") {
    const Folder folder;
    const auto path = folder / "page";
    const auto agreed = Address::parse({.address = "192.0.2.7", .port = 4000}).value();
    const auto other_port = Address::parse({.address = "192.0.2.7", .port = 4002}).value();
    const auto elsewhere = Address::parse({.address = "203.0.113.9", .port = 6000}).value();
    {
        const auto page = Page::open(path).value();
        CHECK(page->fresh());
        Slot* const slot = page->take(7, 0xabcd, run_at(70'000)).value();
        slot->about_to_send(70'005, 160, {.boot_ns = 1, .real_ns = 2});
        slot->about_to_send(70'006, 160, {.boot_ns = 3, .real_ns = 4});
        slot->set_latch(agreed, elsewhere);
    }
    const auto page = Page::open(path).value();
    CHECK_FALSE(page->fresh());
    CHECK(page->find(7, 0xabce) == nullptr);
    CHECK(page->find(8, 0xabcd) == nullptr);
    Slot* const slot = page->find(7, 0xabcd);
    REQUIRE(slot != nullptr);
    CHECK(slot->run() == run_at(70'000));
    CHECK(slot->last_index() == 70'006);
    CHECK(slot->packets() == 2);
    CHECK(slot->octets() == 320);
    CHECK(slot->last_sent() == base::Now{.boot_ns = 3, .real_ns = 4});
    CHECK(slot->latch(agreed) == elsewhere);
    CHECK_FALSE(slot->latch(elsewhere)); // found for another agreed address
    slot->set_latch(agreed, other_port);
    CHECK(slot->latch(agreed) == other_port);
    const auto v6 = Address::parse({.address = "2001:db8::7", .port = 6000}).value();
    slot->set_latch(agreed, v6);
    CHECK(slot->latch(agreed) == v6);
    CHECK(v6.endpoint() == call::Endpoint{.address = "2001:db8::7", .port = 6000});
    CHECK(elsewhere.endpoint() == call::Endpoint{.address = "203.0.113.9", .port = 6000});
    slot->set_latch(agreed, agreed);
    CHECK(slot->latch(agreed) == agreed);
    CHECK(slot->origin() == run_at(70'000).timestamp);
    CHECK_FALSE(slot->paused());
}

TEST_CASE("the page is private and its file has its full size without using the disk") {
    const Folder folder;
    const auto page = Page::open(folder / "page").value();

    struct stat status {};

    REQUIRE(::stat((folder / "page").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    CHECK(status.st_size > 16'000'000);
    CHECK(status.st_blocks * 512 < 1'000'000);
}

TEST_CASE("a kill in the middle of a change of segment leaves the old one or the new one") {
    const Folder folder;
    const auto path = folder / "page";
    static_cast<void>(Page::open(path).value()->take(1, 1, run_at(0x10000)).value());
    for (int round = 0; round < 60; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto page = Page::open(path).value();
            Slot* const slot = page->find(1, 1);
            for (std::uint64_t i = 0x10000; slot != nullptr; ++i) {
                slot->set_run(run_at(i), page->boot());
            }
            ::_exit(1);
        }
        ::usleep(2000 + static_cast<useconds_t>(round) * 37);
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);
        const auto page = Page::open(path).value();
        Slot* const slot = page->find(1, 1);
        REQUIRE(slot != nullptr);
        const auto run = slot->run();
        REQUIRE(run);
        CHECK(*run == run_at(run->index)); // all fields are of one and the same change
    }
}

TEST_CASE("a file that is not a media page is moved aside and begun anew") {
    const Folder folder;
    const auto path = folder / "page";
    SUBCASE("garbage") {
        std::ofstream{path} << "this is no page at all, but some text that is long enough";
    }
    SUBCASE("empty") {
        std::ofstream{path} << "";
    }
    SUBCASE("wrong magic") {
        static_cast<void>(Page::open(path).value());
        damage(path, 0, "xxxx");
    }
    SUBCASE("wrong size") {
        static_cast<void>(Page::open(path).value());
        REQUIRE(::truncate(path.c_str(), 8192) == 0);
    }
    SUBCASE("wrong slot size") {
        static_cast<void>(Page::open(path).value());
        damage(path, 16, std::string(8, '\x7f'));
    }
    SUBCASE("a directory") {
        REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    }
    SUBCASE("a symbolic link") {
        REQUIRE(::symlink("/etc/passwd", path.c_str()) == 0);
    }
    const auto page = Page::open(path);
    if (!page) { // a directory cannot be opened for writing: a clear error, nothing is touched
        CHECK(page.error().code == base::Errc::io);
        return;
    }
    CHECK((*page)->fresh());

    struct stat status {};

    CHECK(::lstat((path + ".corrupt").c_str(), &status) == 0);
    CHECK((*page)->take(1, 1, run_at(0x10000)));
}

TEST_CASE("the page of a later version is refused") {
    const Folder folder;
    const auto path = folder / "page";
    static_cast<void>(Page::open(path).value());
    damage(path, 8, std::string{"\x02\0\0\0\0\0\0\0", 8});
    const auto page = Page::open(path);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == base::Errc::too_new);
    CHECK(::access((path + ".corrupt").c_str(), F_OK) != 0);
}

TEST_CASE("a damaged slot is dropped and the others stay") {
    const Folder folder;
    const auto path = folder / "page";
    {
        const auto page = Page::open(path).value();
        static_cast<void>(page->take(1, 1, run_at(0x10000)).value());
        static_cast<void>(page->take(2, 2, run_at(0x20000)).value());
    }
    damage(path, first_slot + 64, std::string(128, '\x55')); // both copies of the first slot's run
    const auto page = Page::open(path).value();
    CHECK(page->find(1, 1) == nullptr);
    CHECK(page->find(2, 2) != nullptr);
    CHECK(page->take(3, 3, run_at(0x10000)));
}

TEST_CASE("every byte of a page may be garbage without harm") {
    const Folder folder;
    const auto path = folder / "page";
    {
        const auto page = Page::open(path).value();
        for (call::Number i = 1; i < 20; ++i) {
            static_cast<void>(page->take(i, i, run_at(0x10000)).value());
        }
    }
    std::string noise(20 * 256, '\0');
    std::uint32_t x = 1;
    for (int round = 0; round < 50; ++round) {
        for (char& c : noise) {
            x = x * 1664525 + 1013904223;
            c = static_cast<char>(x >> 24U);
        }
        damage(path, first_slot, noise);
        const auto page = Page::open(path).value();
        for (call::Number i = 1; i < 20; ++i) {
            static_cast<void>(page->find(i, i));
        }
    }
    // Also the count of used slots.
    damage(path, 32, std::string(8, '\xff'));
    CHECK(Page::open(path));
}

TEST_CASE("a run of another boot is told in this boot's clock, by real time") {
    const Folder folder;
    const auto path = folder / "page";
    const auto now = base::read_clock();
    Run run = run_at(0x10000, 123 * grid_ns);
    run.real_ns = now.real_ns - 3'000'000'000; // began three seconds ago
    {
        const auto page = Page::open(path).value();
        Slot* const slot = page->take(1, 1, run).value();
        slot->set_run(run, hash_boot_id("another boot"));
        slot->set_paused();
    }
    const auto page = Page::open(path).value();
    Slot* const slot = page->find(1, 1);
    REQUIRE(slot != nullptr);
    const auto told = slot->run();
    REQUIRE(told);
    CHECK(told->boot_ns % grid_ns == 0);
    CHECK(slot->paused());
    CHECK(static_cast<double>(page->opened_at().boot_ns - told->boot_ns) / 1e9 ==
          doctest::Approx(3.0).epsilon(0.02));
    CHECK(slot->of_boot(hash_boot_id(base::boot_id())));
}

TEST_CASE("ten thousand calls have their slots, freed ones are used again") {
    const Folder folder;
    const auto path = folder / "page";
    {
        const auto page = Page::open(path).value();
        for (call::Number i = 1; i <= 10'000; ++i) {
            REQUIRE(page->take(i, i * 7, run_at(0x10000 + i)));
        }
        page->release(page->find(5000, 35'000));
    }
    const auto page = Page::open(path).value();
    CHECK(page->find(5000, 35'000) == nullptr);
    CHECK(page->take(10'001, 5, run_at(0x10000)));
    CHECK(page->find(10'000, 70'000)->run() == run_at(0x10000 + 10'000));

    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(status.st_blocks * 512 < 4'000'000); // the freed slot was taken, none was added
}

TEST_CASE("a call that comes with another SSRC gives its old slot back") {
    const Folder folder;
    const auto page = Page::open(folder / "page").value();
    Slot* const old = page->take(1, 100, run_at(0x10000)).value();
    Slot* const fresh = page->take(1, 200, run_at(0x10000)).value();
    CHECK(page->find(1, 100) == nullptr);
    CHECK(page->find(1, 200) == fresh);
    CHECK(old == fresh); // the freed one
    CHECK(fresh->last_index() == 0);
}

TEST_CASE("when all slots are taken, one that nobody claimed gives way") {
    const Folder folder;
    const auto path = folder / "page";
    {
        const auto page = Page::open(path).value();
        for (call::Number i = 1; i <= Page::slot_count; ++i) {
            REQUIRE(page->take(i, i, run_at(0x10000)));
        }
        const auto none = page->take(Page::slot_count + 1, 1, run_at(0x10000));
        REQUIRE_FALSE(none);
        CHECK(none.error().code == base::Errc::no_space);
    }
    const auto page = Page::open(path).value();
    REQUIRE(page->find(1, 1) != nullptr);
    CHECK(page->take(Page::slot_count + 1, 1, run_at(0x10000)));
    CHECK(page->find(1, 1) != nullptr);
}
