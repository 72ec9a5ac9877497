#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
using base::Errc;
using journal::Loaded;
using journal::Store;
namespace fs = std::filesystem;

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (fs::temp_directory_path() / "revenant-journal-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }

    [[nodiscard]] std::string state() const { return path / "state"; }

    [[nodiscard]] std::string record(const std::string& name) const {
        return path / "state" / "dialogs" / name;
    }

    fs::path path;
};

// Permissions mean nothing to root, so tests of them run as somebody else.
class Unprivileged {
public:
    Unprivileged() : before_{::geteuid()} {
        if (before_ == 0) {
            REQUIRE(::seteuid(65534) == 0);
        }
    }

    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

    ~Unprivileged() {
        if (::seteuid(before_) != 0) {
            std::abort();
        }
    }

private:
    uid_t before_;
};

void write(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
    REQUIRE(fs::exists(path));
}

std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

ino_t inode(const std::string& path) {
    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory}) {
        names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
}

std::unique_ptr<journal::PromptStore> open(const std::string& directory, bool durable = false) {
    auto store = journal::open_file_store({.directory = directory, .durable = durable});
    REQUIRE_MESSAGE(store, store.error().context);
    return *std::move(store);
}

Loaded load(Store& store) {
    auto loaded = store.load();
    REQUIRE_MESSAGE(loaded, loaded.error().context);
    return *std::move(loaded);
}

// What a next start finds.
Loaded restart(const TemporaryDirectory& directory) {
    return load(*open(directory.state()));
}

call::Dialog numbered(call::Number number) {
    call::Dialog dialog = journal::sample_caller();
    dialog.number = number;
    return dialog;
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

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

// Runs `attempt` while no file may grow beyond 100 bytes: a write that is cut in the middle.
void with_small_files(const std::function<void()>& attempt) {
    const auto before_signal = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 100;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    attempt();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)std::signal(SIGXFSZ, before_signal);
}

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

call::Dialog version(call::Number number, std::uint32_t count) {
    call::Dialog dialog = numbered(number);
    dialog.epoch = 1;
    dialog.resumes = count;
    dialog.local_sdp = std::string((count * 7919U) % 9000U, static_cast<char>('a' + count % 26));
    return dialog;
}

// Saves and removes in turn until it is killed; tells through the pipe what has been completed.
[[noreturn]] void save_for_ever(const std::string& directory, int pipe) {
    const auto store = journal::open_file_store({.directory = directory});
    if (!store || !(*store)->load() || !(*store)->next_epoch()) {
        ::_exit(1);
    }
    for (std::uint32_t count = 1;; ++count) {
        for (const call::Number number : {1U, 2U, 3U}) {
            if (!(*store)->save(version(number, count))) {
                ::_exit(2);
            }
        }
        if (!(*store)->remove(4) || !(*store)->save(version(4, count)) ||
            ::write(pipe, &count, sizeof count) != sizeof count) {
            ::_exit(3);
        }
    }
}

// What the child had completed when it was killed after `delay`.
std::uint32_t kill_after(const std::string& directory, std::chrono::microseconds delay) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        save_for_ever(directory, pipe[1]);
    }
    ::close(pipe[1]);
    std::uint32_t completed = 0;
    REQUIRE(::read(pipe[0], &completed, sizeof completed) == sizeof completed);
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    while (::read(pipe[0], &completed, sizeof completed) == sizeof completed) {
    }
    ::close(pipe[0]);
    return completed;
}

TEST_CASE("after SIGKILL at any moment every record is whole and no saved one is lost") {
    for (int round = 0; round < 100; ++round) {
        const TemporaryDirectory directory;
        const std::uint32_t completed =
            kill_after(directory.state(), std::chrono::microseconds{base::random_u32() % 3000});
        const Loaded loaded = restart(directory);
        CHECK(loaded.rejected.empty());
        std::uint32_t found = 0;
        for (const call::Dialog& dialog : loaded.dialogs) {
            const bool whole = dialog == version(dialog.number, completed) ||
                               dialog == version(dialog.number, completed + 1);
            CHECK(whole);
            found += dialog.number <= 3 ? 1 : 0;
        }
        CHECK(found == 3); // call 4 may just have been removed
        CHECK(names_in(directory.state() + "/dialogs").size() == loaded.dialogs.size());
    }
}

} // namespace
