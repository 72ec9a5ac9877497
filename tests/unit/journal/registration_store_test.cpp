// Registrations as files, beside the records of calls.
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <doctest/doctest.h>

#include "revenant/account/registration.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/sample_registrations.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using account::Registration;
using base::Errc;
using journal::Loaded;

Registration named(const std::string& account) {
    Registration registration = journal::sample_registration();
    registration.account = account;
    return registration;
}

std::string place(const TemporaryDirectory& directory, const std::string& name = "") {
    return directory.state() + "/registrations" + (name.empty() ? "" : "/" + name);
}

TEST_CASE("a registration that was saved is found by the next start, in order of accounts") {
    for (const bool durable : {false, true}) {
        const TemporaryDirectory directory;
        {
            const auto store = open(directory.state(), durable);
            CHECK(load(*store).registrations.empty());
            REQUIRE(store->next_epoch());
            for (const char* account : {"work", "home", "5", "work", "home", "x.json", "home"}) {
                CHECK(store->save(named(account)));
            }
            Registration changed = named("home");
            changed.cseq = 99;
            CHECK(store->save(changed));
            CHECK(store->remove_registration("5"));
            CHECK(store->remove_registration("5"));
            CHECK(store->remove_registration("none"));
        }
        CHECK(names_in(place(directory)) ==
              std::vector<std::string>{"home.json", "work.json", "x.json.json"});
        const Loaded loaded = restart(directory);
        REQUIRE(loaded.registrations.size() == 3);
        CHECK(loaded.registrations[0].cseq == 99);
        CHECK(loaded.registrations[1] == named("work"));
        CHECK(loaded.registrations[2] == named("x.json"));
        CHECK(loaded.rejected.empty());
        CHECK(loaded.dialogs.empty());
    }
}

TEST_CASE("without a registration there is no directory for them, and with one it is private") {
    const TemporaryDirectory directory;
    const mode_t before = ::umask(0);
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->next_epoch());
    CHECK(store->remove_registration("work"));
    CHECK_FALSE(fs::exists(place(directory)));
    CHECK(store->save(named("work")));
    ::umask(before);
    const auto mode = [&](const std::string& name) {
        return static_cast<unsigned>(fs::status(name).permissions());
    };
    CHECK(mode(place(directory)) == 0700);
    CHECK(mode(place(directory, "work.json")) == 0600);
    fs::permissions(place(directory), fs::perms{0755});
    CHECK(load(*open(directory.path / "other")).registrations.empty());
    CHECK(mode(place(directory)) == 0755);
}

TEST_CASE("a start makes the directory of registrations private again") {
    const TemporaryDirectory directory;
    open(directory.state());
    fs::create_directory(place(directory));
    fs::permissions(place(directory), fs::perms{0755});
    (void)restart(directory);
    CHECK(static_cast<unsigned>(fs::status(place(directory)).permissions()) == 0700);
}

TEST_CASE("a registration that cannot be read is set aside or left, and told; others are found") {
    const TemporaryDirectory directory;
    open(directory.state());
    fs::create_directory(place(directory));
    write(place(directory, "bad.json"), "garbage");
    write(place(directory, "good.json"), journal::encode(named("good")));
    write(place(directory, "later.json"), R"({"schema":2})");
    write(place(directory, "other.json"), journal::encode(named("good")));
    write(place(directory, "-.json"), "");
    write(place(directory, "note"), "");
    fs::create_symlink("good.json", place(directory, "link.json"));
    const auto store = open(directory.state());
    const Loaded loaded = load(*store);
    CHECK(loaded.registrations == std::vector{named("good")});
    CHECK(loaded.taken.empty()); // no call's number is
    REQUIRE(loaded.rejected.size() == 5);
    CHECK(mentions(loaded.rejected[0].error.context, "is not an account's"));
    CHECK(loaded.rejected[1].path == place(directory, "bad.json.corrupt"));
    CHECK(loaded.rejected[2].error.code == Errc::too_new);
    CHECK(loaded.rejected[3].path == place(directory, "link.json"));
    CHECK(mentions(loaded.rejected[4].error.context, "is of account good"));
    for (const char* taken : {"later", "link"}) {
        CHECK(store->save(named(taken)).error().code == Errc::not_now);
        CHECK(store->remove_registration(taken).error().code == Errc::not_now);
    }
    CHECK(mentions(store->save(named("later")).error().context, "cannot be read"));
    CHECK(read(place(directory, "later.json")) == R"({"schema":2})");
    CHECK(store->save(named("bad")));
    CHECK(store->next_epoch() == 1U); // their records say nothing of the starts
}

TEST_CASE("what stands in the place of the directory is told, and no call is harmed") {
    const TemporaryDirectory directory;
    {
        const auto store = open(directory.state());
        (void)load(*store);
        REQUIRE(store->next_epoch());
        REQUIRE(store->save(numbered(7)));
    }
    write(place(directory), "a file");
    const auto store = open(directory.state());
    const Loaded loaded = load(*store);
    CHECK(loaded.dialogs == std::vector{numbered(7)});
    REQUIRE(loaded.rejected.size() == 2); // the epoch too
    CHECK(loaded.rejected[1].path == place(directory));
    const auto status = store->save(named("work"));
    REQUIRE_FALSE(status);
    CHECK(mentions(status.error().context, "registrations: Not a directory"));
    CHECK_FALSE(store->remove_registration("work"));
    CHECK(store->save(numbered(8)));
}

TEST_CASE("a registration that could not be read again is not stored, nor one before the load") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    CHECK(store->save(named("work")).error().code == Errc::not_now);
    CHECK(store->remove_registration("work").error().code == Errc::not_now);
    (void)load(*store);
    for (const char* account : {"", "..", "a/b", "../dialogs/7"}) {
        const auto status = store->save(named(account));
        REQUIRE_FALSE(status);
        CHECK(status.error().code == Errc::corrupt);
        CHECK(mentions(status.error().context, "cannot be stored: account"));
    }
    CHECK_FALSE(fs::exists(place(directory)));
}

TEST_CASE("a write of a registration that is cut in the middle leaves the old record whole") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->save(named("work")));
    Registration changed = named("work");
    changed.cseq = 99;
    base::Status status;
    with_small_files([&] { status = store->save(changed); });
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Errc::no_space);
    CHECK(mentions(status.error().context,
                   "account work cannot be stored in " + place(directory) + ": "));
    CHECK(names_in(place(directory)) == std::vector<std::string>{"work.json"});
    CHECK(journal::decode_registration(read(place(directory, "work.json"))) == named("work"));
    CHECK(store->save(changed));
}

TEST_CASE("spares of registrations are used again, and are gone after an orderly end") {
    const TemporaryDirectory directory;
    {
        const auto store = open(directory.state());
        (void)load(*store);
        for (int i = 0; i < 3; ++i) {
            REQUIRE(store->save(named("work")));
            REQUIRE(store->save(named("home")));
        }
        CHECK(names_in(place(directory)).size() == 3);
        CHECK(names_in(directory.state() + "/dialogs").empty());
        REQUIRE(store->remove_registration("home"));
    }
    CHECK(names_in(place(directory)) == std::vector<std::string>{"work.json"});
}

TEST_CASE("a store that forgets finds no registration and leaves those that are there") {
    const TemporaryDirectory directory;
    {
        const auto store = open(directory.state());
        (void)load(*store);
        REQUIRE(store->save(named("work")));
    }
    {
        const auto store = journal::forgetful_store(open(directory.state()));
        CHECK(load(*store).registrations.empty());
        int answers = 0;
        const auto count = [&](const base::Status& status) { answers += status ? 1 : 0; };
        store->save(named("home"), count);
        store->remove_registration("work", count);
        CHECK(answers == 2);
    }
    CHECK(restart(directory).registrations == std::vector{named("work")});
}

TEST_CASE("the stores of tests keep registrations, and fail at them") {
    journal::FaultyStore store{false};
    CHECK(store.save(named("work")));
    store.sync();
    store.fail_at(1);
    CHECK_FALSE(store.save(named("home")));
    CHECK(store.remove_registration("work"));
    store.power_loss();
    CHECK(load(store).registrations == std::vector{named("work")});
    CHECK_FALSE(store.save(named("a b")));
}

} // namespace
