// A store whose process is killed.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/random.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/state_folder.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using journal::Loaded;

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
