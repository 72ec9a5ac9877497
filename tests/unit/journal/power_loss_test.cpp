// A disk that keeps only what was synced, under the real FileStore: every system call that matters
// comes through here, and before and after each of them the power may go.
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

ino_t inode_of(const fs::path& path) {
    struct stat status {};

    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

class Disk {
public:
    explicit Disk(fs::path dialogs) : dialogs_{std::move(dialogs)} {}

    void synced_file(int fd) {
        struct stat status {};

        if (::fstat(fd, &status) == 0) {
            contents_[status.st_ino] = read("/proc/self/fd/" + std::to_string(fd));
        }
    }

    void synced_directory(int fd) {
        if (fs::read_symlink("/proc/self/fd/" + std::to_string(fd)) == dialogs_) {
            names_ = names_now();
        }
    }

    // What a start finds when the power goes now. The names are those of the last sync of the
    // directory, or (`names_arrive`) all that there are; of a file that was not synced, half.
    void lose_power(const fs::path& into, bool names_arrive) const {
        fs::remove_all(into);
        fs::create_directories(into / "dialogs");
        std::map<ino_t, std::string> now;
        for (const auto& [name, inode] : names_now()) {
            now[inode] = read(dialogs_ / name);
        }
        for (const auto& [name, inode] : names_arrive ? names_now() : names_) {
            const auto stored = contents_.find(inode);
            const auto current = now.find(inode);
            std::string text = stored != contents_.end() ? stored->second : std::string{};
            if (current != now.end() && current->second != text) {
                text = current->second.substr(0, current->second.size() / 2);
            }
            std::ofstream{into / "dialogs" / name, std::ios::binary} << text;
        }
    }

private:
    [[nodiscard]] std::map<std::string, ino_t> names_now() const {
        std::map<std::string, ino_t> names;
        for (const auto& entry : fs::directory_iterator{dialogs_}) {
            names[entry.path().filename()] = inode_of(entry.path());
        }
        return names;
    }

    fs::path dialogs_;
    std::map<std::string, ino_t> names_;
    std::map<ino_t, std::string> contents_;
};

// What the system calls below tell, while there is a disk.
Disk* disk = nullptr;
std::function<void()>* at_call = nullptr; // NOLINT(*-non-const-global-variables)
int fail_sync = 0;                        // errno for the next fdatasync

void pass() {
    if (at_call != nullptr) {
        auto* const function = std::exchange(at_call, nullptr); // what it does itself is no call
        (*function)();
        at_call = function;
    }
}

template <typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <typename Function, typename... Arguments>
int through(const char* name, Arguments... arguments) {
    pass();
    const int result = next<Function>(name)(arguments...);
    const int error = errno;
    pass();
    errno = error;
    return result;
}

// The records that a start may find: for each number the versions; 0 is none.
using Expected = std::map<call::Number, std::set<std::uint32_t>>;

call::Dialog version(call::Number number, std::uint32_t count) {
    call::Dialog dialog = journal::sample_caller();
    dialog.number = number;
    dialog.remote_cseq = count;
    dialog.peer_supported = std::string(count * 37 % 500, 'x'); // of another length each time
    return dialog;
}

bool is_as_expected(const fs::path& state, const Expected& expected) {
    auto store = journal::open_file_store({.directory = state.string()});
    if (!store) {
        return false;
    }
    const auto loaded = (*store)->load();
    if (!loaded) {
        return false;
    }
    std::map<call::Number, std::uint32_t> found;
    for (const call::Dialog& dialog : loaded->dialogs) {
        found[dialog.number] = dialog.remote_cseq;
        if (dialog != version(dialog.number, dialog.remote_cseq)) {
            return false;
        }
    }
    for (const auto& [number, versions] : expected) {
        if (!versions.contains(found.contains(number) ? found[number] : 0)) {
            return false;
        }
    }
    return true;
}

struct Outcome {
    int instants = 0;
    int losses = 0;
};

// Forty saves and removals; how many instants there were at which the power would have taken a
// record that had been acknowledged.
Outcome forty_changes(bool durable) {
    std::string name = (fs::temp_directory_path() / "revenant-power-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    const fs::path root = fs::canonical(name);
    auto store =
        journal::open_file_store({.directory = (root / "state").string(), .durable = durable});
    REQUIRE(store);
    REQUIRE((*store)->load());
    Disk under{root / "state" / "dialogs"};
    Expected expected;
    Outcome outcome;
    std::function<void()> look = [&] {
        for (const bool names_arrive : {false, true}) {
            under.lose_power(root / "found", names_arrive);
            ++outcome.instants;
            outcome.losses += is_as_expected(root / "found", expected) ? 0 : 1;
        }
    };
    disk = &under;
    at_call = &look;
    for (std::uint32_t count = 1; count <= 40; ++count) {
        const call::Number number = 1 + count * 7 % 5;
        const bool removes = count % 6 == 0;
        const std::uint32_t wanted = removes ? 0 : count;
        std::set<std::uint32_t>& versions = expected[number];
        if (versions.empty()) {
            versions.insert(0);
        }
        versions.insert(wanted);
        CHECK((removes ? (*store)->remove(number) : (*store)->save(version(number, count))));
        versions = {wanted};
        pass();
    }
    disk = nullptr;
    at_call = nullptr;
    store->reset();
    fs::remove_all(root);
    return outcome;
}

TEST_CASE("with --durable no acknowledged record is lost, whenever the power goes") {
    const Outcome outcome = forty_changes(true);
    CHECK(outcome.instants > 400);
    CHECK(outcome.losses == 0);
}

TEST_CASE("without --durable the same disk loses records, so it is a disk that can") {
    CHECK(forty_changes(false).losses > 0);
}

TEST_CASE("a sync that fails fails the save, and the old record stays") {
    std::string name = (fs::temp_directory_path() / "revenant-power-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    const fs::path state = fs::path{name} / "state";
    {
        auto store = journal::open_file_store({.directory = state.string(), .durable = true});
        REQUIRE(store);
        REQUIRE((*store)->load());
        REQUIRE((*store)->save(version(1, 1)));
        fail_sync = EIO;
        const base::Status status = (*store)->save(version(1, 2));
        CHECK(fail_sync == 0);
        REQUIRE_FALSE(status);
        CHECK(status.error().context.find("Input/output error") != std::string::npos);
    }
    CHECK(is_as_expected(state, {{1, {1}}}));
    fs::remove_all(name);
}

} // namespace

// What the journal reaches in place of libc's functions; the names and the C linkage count.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its parameters are reserved
// names
extern "C" {

int fdatasync(int fd) {
    if (fail_sync != 0) {
        errno = std::exchange(fail_sync, 0);
        return -1;
    }
    pass();
    const int result = next<int(int)>("fdatasync")(fd);
    if (disk != nullptr && result == 0) {
        disk->synced_file(fd);
    }
    pass();
    return result;
}

int fsync(int fd) {
    pass();
    const int result = next<int(int)>("fsync")(fd);
    if (disk != nullptr && result == 0) {
        disk->synced_directory(fd);
    }
    pass();
    return result;
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept {
    return through<int(int, const char*, int, const char*)>("renameat", from, old_name, to,
                                                            new_name);
}

int renameat2(
    int from, const char* old_name, int to, const char* new_name, unsigned flags) noexcept {
    return through<int(int, const char*, int, const char*, unsigned)>("renameat2", from, old_name,
                                                                      to, new_name, flags);
}

int unlinkat(int directory, const char* name, int flags) noexcept {
    return through<int(int, const char*, int)>("unlinkat", directory, name, flags);
}

} // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
