// Main-loop sources: they call when they should, and stop when their owner says so.
#include <array>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <glib.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "unit/fakes/main_loop.hpp"

using namespace revenant;
using base::Source;

namespace {

struct Pipe {
    base::Fd out;
    base::Fd in;

    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        out.reset(ends[0]);
        in.reset(ends[1]);
    }
};

// Timers of this process on CLOCK_BOOTTIME.
int count_boot_alarms() {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fdinfo"}) {
        std::ifstream file{entry.path()};
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        count += text.find(fmt::format("clockid: {}\n", CLOCK_BOOTTIME)) != std::string::npos;
    }
    return count;
}

} // namespace

TEST_CASE("after_ms() calls once, whether the Source is kept or not") {
    int calls = 0;
    const Source kept = base::after_ms(1, [&] { ++calls; });
    CHECK(run_until([&] { return calls > 0; }));
    run_for_ms(20);
    CHECK(calls == 1);
}

TEST_CASE("after_ms() waits for its time") {
    bool early = false;
    bool late = false;
    const Source second = base::after_ms(40, [&] { late = true; });
    const Source first = base::after_ms(1, [&] { early = !late; });
    CHECK(run_until([&] { return late; }));
    CHECK(early);
}

TEST_CASE("every_ms() calls until its Source goes") {
    int calls = 0;
    Source source = base::every_ms(1, [&] { ++calls; });
    CHECK(run_until([&] { return calls >= 3; }));
    source.reset();
    const int so_far = calls;
    run_for_ms(20);
    CHECK(calls == so_far);
}

TEST_CASE("a Source that goes away never calls") {
    int calls = 0;
    {
        const Source gone = base::after_ms(0, [&] { ++calls; });
    }
    {
        const Source gone = base::when_idle([&] { ++calls; });
    }
    run_for_ms(10);
    CHECK(calls == 0);
}

TEST_CASE("a callback may destroy its own Source and use its captures afterwards") {
    const auto token = std::make_shared<int>(41);
    std::weak_ptr<int> alive = token;
    auto source = std::make_unique<Source>();
    int seen = 0;
    *source = base::every_ms(1, [&source, &seen, copy = token] {
        source.reset();
        seen = *copy + 1; // the closure is still there
    });
    CHECK(run_until([&] { return seen == 42; }));
    run_for_ms(10);
    CHECK(seen == 42);
    CHECK(alive.use_count() == 1); // the closure has gone with its source
}

TEST_CASE("a callback may put another in its own place") {
    Source source;
    int order = 0;
    source = base::when_idle([&] {
        order = 1;
        source = base::when_idle([&] { order = order == 1 ? 2 : -1; });
    });
    CHECK(run_until([&] { return order == 2; }));
}

TEST_CASE("moving a Source keeps it, and ends what was there before") {
    int first = 0;
    int second = 0;
    Source a = base::every_ms(1, [&] { ++first; });
    Source b = base::every_ms(1, [&] { ++second; });
    a = std::move(b);
    CHECK(a);
    CHECK_FALSE(b); // NOLINT(bugprone-use-after-move): empty is promised
    CHECK(run_until([&] { return second > 2; }));
    CHECK(first == 0);
    Source& self = a;
    a = std::move(self);
    CHECK(a);
}

TEST_CASE("on_readable() calls as long as there is something to read") {
    const Pipe pipe;
    int calls = 0;
    const Source source = base::on_readable(pipe.out.get(), [&] {
        char c = 0;
        calls += ::read(pipe.out.get(), &c, 1) == 1 ? 1 : 0;
    });
    run_for_ms(5);
    CHECK(calls == 0);
    REQUIRE(::write(pipe.in.get(), "ab", 2) == 2);
    CHECK(run_until([&] { return calls == 2; }));
}

TEST_CASE("on_readable() also tells of the other end's going") {
    Pipe pipe;
    bool ended = false;
    const Source source = base::on_readable(pipe.out.get(), [&] {
        char c = 0;
        ended = ::read(pipe.out.get(), &c, 1) == 0;
    });
    pipe.in.reset();
    CHECK(run_until([&] { return ended; }));
}

TEST_CASE(
    "a wait of the main loop ends by a timer that counts suspension, and for what else happens") {
    base::wait_on_boot_clock();
    const Pipe pipe;
    int reads = 0;
    bool is_late = false;
    const Source in = base::on_readable(pipe.out.get(), [&] {
        char c = 0;
        reads += ::read(pipe.out.get(), &c, 1) == 1 ? 1 : 0;
    });
    const Source timer = base::after_ms(200, [&] { is_late = true; });
    REQUIRE(::write(pipe.in.get(), "a", 1) == 1);
    while (!is_late) {
        g_main_context_iteration(nullptr, TRUE);
    }
    CHECK(reads == 1);
    CHECK(count_boot_alarms() == 1);
}

TEST_CASE("on_signal() calls for its signal, and starts no thread for it") {
    const auto count_threads = [] {
        const std::filesystem::directory_iterator all{"/proc/self/task"};
        return std::distance(begin(all), end(all));
    };
    const auto is_handled = [] {
        struct sigaction action {};

        ::sigaction(SIGUSR1, nullptr, &action);
        return action.sa_handler != SIG_DFL;
    };
    const auto threads = count_threads();
    int calls = 0;
    Source source = base::on_signal(SIGUSR1, [&] { ++calls; });
    REQUIRE(::raise(SIGUSR1) == 0);
    CHECK(run_until([&] { return calls == 1; }));
    int later_calls = 0;
    Source later = base::on_signal(SIGUSR1, [&] { ++later_calls; });
    source.reset();
    REQUIRE(::raise(SIGUSR1) == 0);
    CHECK(run_until([&] { return later_calls == 1; }));
    CHECK(calls == 1);
    CHECK(count_threads() == threads);
    CHECK(is_handled());
    later.reset();
    CHECK_FALSE(is_handled());
}

TEST_CASE("a file descriptor is closed once, by its last owner") {
    base::Fd moved;
    int number = -1;
    {
        const Pipe pipe;
        base::Fd fd{::dup(pipe.out.get())};
        number = fd.get();
        REQUIRE(number >= 0);
        moved = std::move(fd);
        CHECK_FALSE(fd); // NOLINT(bugprone-use-after-move): empty is promised
    }
    CHECK(moved.get() == number);
    CHECK(::fcntl(number, F_GETFD) != -1);
    moved.reset();
    CHECK(::fcntl(number, F_GETFD) == -1);
    CHECK(base::Fd{}.release() == -1);
}
