// Records as files: saved, replaced and removed, by one phone at a time.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using base::Errc;
using journal::Loaded;

TEST_CASE("a record that was saved is found by the next start, in order of numbers") {
    for (const bool durable : {false, true}) {
        const TemporaryDirectory directory;
        {
            const auto store = open(directory.state(), durable);
            CHECK(load(*store).dialogs.empty());
            for (int start = 1; start <= 3; ++start) { // the sample record is of epoch 3
                CHECK(store->next_epoch());
            }
            for (const call::Number number : {12U, 7U, 100U, 7U, 12U, 7U}) {
                CHECK(store->save(numbered(number)));
            }
        }
        const Loaded loaded = restart(directory);
        CHECK(loaded.dialogs == std::vector{numbered(7), numbered(12), numbered(100)});
        CHECK(loaded.rejected.empty());
    }
}

TEST_CASE("saving again replaces the record, removing it leaves nothing behind") {
    for (const bool durable : {false, true}) {
        const TemporaryDirectory directory;
        {
            const auto store = open(directory.state(), durable);
            (void)load(*store);
            for (std::uint32_t i = 0; i < 50; ++i) {
                call::Dialog dialog = numbered(7);
                dialog.cseq_watermark = i;
                dialog.local_sdp = std::string(i % 7 * 500, 'a');
                REQUIRE(store->save(dialog));
                CHECK(journal::decode(read(directory.record("7.json"))) == dialog);
                if (i % 5 == 4) {
                    REQUIRE(store->remove(7));
                    CHECK_FALSE(fs::exists(directory.record("7.json")));
                }
            }
            CHECK(store->remove(7));
            CHECK(store->remove(8));
        }
        CHECK(names_in(directory.state() + "/dialogs").empty());
    }
}

TEST_CASE("hundreds of calls that come and go leave only their own records") {
    const TemporaryDirectory directory;
    {
        const auto store = open(directory.state());
        (void)load(*store);
        for (call::Number n = 1; n <= 100; ++n) {
            REQUIRE(store->save(numbered(n)));
            REQUIRE(store->save(numbered(n)));
        }
        for (call::Number n = 1; n <= 100; n += 2) {
            REQUIRE(store->remove(n));
        }
        for (call::Number n = 1; n <= 100; n += 4) {
            REQUIRE(store->save(numbered(n)));
        }
    }
    CHECK(names_in(directory.state() + "/dialogs").size() == 75);
    CHECK(restart(directory).dialogs.size() == 75);
}

TEST_CASE("files are 0600 in directories of 0700, whatever the umask") {
    const TemporaryDirectory directory;
    const mode_t before = ::umask(0);
    const std::string deep = directory.path / "a" / "b" / "state";
    {
        const auto store = open(deep);
        (void)load(*store);
        REQUIRE(store->save(numbered(7)));
        REQUIRE(store->next_epoch());
    }
    ::umask(before);
    const auto mode = [&](const std::string& name) {
        return static_cast<unsigned>(fs::status(name).permissions());
    };
    CHECK(mode(directory.path / "a") == 0700);
    CHECK(mode(deep) == 0700);
    CHECK(mode(deep + "/dialogs") == 0700);
    CHECK(mode(deep + "/dialogs/7.json") == 0600);
    CHECK(mode(deep + "/epoch") == 0600);
    CHECK(mode(deep + "/lock") == 0600);
    fs::permissions(deep + "/dialogs", fs::perms{0755});
    (void)open(deep);
    CHECK(mode(deep + "/dialogs") == 0700);
}

TEST_CASE("a second phone is told the first one's pid and what to do") {
    const TemporaryDirectory directory;
    auto first = open(directory.state());
    const auto second = journal::open_file_store({.directory = directory.state()});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::in_use);
    CHECK(mentions(second.error().context, directory.state()));
    CHECK(mentions(second.error().context, "pid " + std::to_string(::getpid())));
    CHECK(mentions(second.error().context, "--state"));
    first.reset();
    CHECK(journal::open_file_store({.directory = directory.state()}));
}

TEST_CASE("a child that the phone starts does not keep the lock") {
    const TemporaryDirectory directory;
    auto store = open(directory.state());
    const pid_t child = ::fork();
    if (child == 0) {
        ::execlp("sleep", "sleep", "60", nullptr);
        ::_exit(127);
    }
    store.reset();
    // The child closes its copies at exec, which may be a moment away.
    bool free = false;
    for (int i = 0; i < 500 && !free; ++i) {
        free = journal::open_file_store({.directory = directory.state()}).has_value();
        if (!free) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(free);
}

TEST_CASE("nothing is written before it is known what must not be overwritten") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    CHECK(store->save(numbered(7)).error().code == Errc::not_now);
    CHECK(store->remove(7).error().code == Errc::not_now);
    CHECK(store->next_epoch().error().code == Errc::not_now);
    CHECK(names_in(directory.state() + "/dialogs").empty());
}

TEST_CASE("a Dialog that could not be read again is not stored") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->save(numbered(7)));
    call::Dialog dialog = numbered(7);
    dialog.call_id = "a b";
    const auto status = store->save(dialog);
    REQUIRE_FALSE(status);
    CHECK(mentions(status.error().context, "call_id"));
    CHECK(journal::decode(read(directory.record("7.json"))) == numbered(7));
}

TEST_CASE("a hard link to the epoch is a backup that later starts do not change") {
    const TemporaryDirectory directory;
    const auto start = [&] {
        const auto store = open(directory.state());
        (void)load(*store);
        return *store->next_epoch();
    };
    CHECK(start() == 1);
    fs::create_hard_link(directory.state() + "/epoch", directory.path / "backup");
    CHECK(start() == 2);
    CHECK(start() == 3);
    CHECK(read(directory.path / "backup") == "1\n");
}

TEST_CASE("a hard link to a record is a backup that later saves do not change") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->save(numbered(7)));
    const std::string backup = directory.path / "backup.json";
    fs::create_hard_link(directory.record("7.json"), backup);
    for (std::uint32_t i = 0; i < 40; ++i) {
        call::Dialog dialog = numbered(7);
        dialog.cseq_watermark = i;
        REQUIRE(store->save(dialog));
    }
    CHECK(journal::decode(read(backup)) == numbered(7));
}

TEST_CASE("a directory that cannot be made says why") {
    const TemporaryDirectory directory;
    write(directory.path / "file", "");
    const auto under_file = journal::open_file_store({.directory = directory.path / "file" / "x"});
    REQUIRE_FALSE(under_file);
    CHECK(under_file.error().code == Errc::io);
    CHECK(mentions(under_file.error().context, "Not a directory"));
    CHECK(journal::open_file_store({.directory = ""}).error().code == Errc::bad_input);
    const Unprivileged unprivileged;
    const auto forbidden = journal::open_file_store({.directory = "/revenant-test/a/b"});
    REQUIRE_FALSE(forbidden);
    CHECK(mentions(forbidden.error().context, "/revenant-test: Permission denied"));
}

} // namespace
