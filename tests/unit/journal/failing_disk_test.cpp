// A store whose disk is full, read-only or gone.
#include <filesystem>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using base::Errc;

TEST_CASE("a write that is cut in the middle fails and leaves the old record whole") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->save(numbered(7)));
    call::Dialog changed = numbered(7);
    changed.resumes = 99;
    base::Status status;
    base::Status fresh;
    with_small_files([&] {
        status = store->save(changed);
        fresh = store->save(numbered(8));
    });
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Errc::no_space);
    CHECK(mentions(status.error().context, directory.state()));
    CHECK_FALSE(fresh);
    CHECK(names_in(directory.state() + "/dialogs") == std::vector<std::string>{"7.json"});
    CHECK(journal::decode(read(directory.record("7.json"))) == numbered(7));
    CHECK(store->save(changed));
    CHECK(journal::decode(read(directory.record("7.json"))) == changed);
}

// Returns 0 if all is well, 77 if this machine does not let us mount.
int fill_a_disk(const std::string& mount_point) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) {
        return 77;
    }
    const auto store = journal::open_file_store({.directory = mount_point + "/state"});
    if (!store || !(*store)->load()) {
        return 1;
    }
    call::Number number = 1;
    base::Status status = (*store)->save(numbered(number));
    while (status && number < 1000) {
        status = (*store)->save(numbered(++number));
    }
    if (status || status.error().code != Errc::no_space || number < 5) {
        return 2;
    }
    const std::string first = mount_point + "/state/dialogs/1.json";
    call::Dialog changed = numbered(1);
    changed.remote_sdp = std::string(60'000, 'a');
    if ((*store)->save(changed) || journal::decode(read(first)) != numbered(1)) {
        return 3;
    }
    const auto again = (*store)->load();
    if (!again || again->dialogs.size() != number - 1) {
        return 4;
    }
    return (*store)->remove(1) && (*store)->save(numbered(number)) ? 0 : 5;
}

TEST_CASE("a full disk fails the save and loses nothing") {
    const TemporaryDirectory directory;
    const std::string mount_point = directory.path / "disk";
    fs::create_directory(mount_point);
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(fill_a_disk(mount_point));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        MESSAGE("skipped: no permission to mount");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a directory that became read-only fails the save and keeps the record") {
    const Unprivileged unprivileged;
    const TemporaryDirectory directory;
    {
        const auto store = open(directory.state());
        (void)load(*store);
        REQUIRE(store->save(numbered(7)));
        fs::permissions(directory.state() + "/dialogs", fs::perms{0500});
        CHECK(store->save(numbered(8)).error().code == Errc::io);
        CHECK(store->remove(7).error().code == Errc::io);
        fs::permissions(directory.state() + "/dialogs", fs::perms{0700});
    }
    CHECK(restart(directory).dialogs == std::vector{numbered(7)});
}

TEST_CASE("a directory that was removed underneath fails the save") {
    const TemporaryDirectory directory;
    const auto store = open(directory.state());
    (void)load(*store);
    REQUIRE(store->save(numbered(7)));
    fs::remove_all(directory.state());
    const auto status = store->save(numbered(8));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Errc::io);
    CHECK(mentions(status.error().context, "removed"));
}

} // namespace
