// The page that tells the next start on which call this one died. Each death is that of a child.
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"

using namespace revenant::base;

namespace {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        char name[] = "/tmp/revenant-hand-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// Lives with the page, and ends as `live` ends it; the signal, 0 for none.
int life(const std::string& path, const std::function<void()>& live, bool is_watched = false) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
        const auto page = HandPage::open(path);
        page->begin(is_watched);
        live();
        ::_exit(0);
    }
    int how = 0;
    REQUIRE(::waitpid(pid, &how, 0) == pid);
    return WIFSIGNALED(how) ? WTERMSIG(how) : 0;
}

std::optional<LastDeath> death(const std::string& path) {
    return HandPage::open(path)->last_death();
}

void die_by(int signal) {
    static_cast<void>(::raise(signal));
}

} // namespace

TEST_CASE("the next start knows on which call and of what the one before died") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    CHECK_FALSE(death(path));
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) {
        CHECK(life(path, [&] {
                  const InHand outer{7};
                  const InHand inner{mark_of("a@b")};
                  die_by(signal);
              }) == signal);
        const auto found = death(path);
        REQUIRE(found);
        CHECK(found->signal == signal);
        CHECK(found->mark == mark_of("a@b"));
    }
}

TEST_CASE("a fault is noted, and an endless recursion, which leaves no room on the stack") {
    if (!has_kill_points) {
        return;
    }
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    for (const auto& [how, signal] :
         {std::pair{Crash::fault, SIGSEGV}, {Crash::overflow, SIGSEGV}, {Crash::abort, SIGABRT}}) {
        CHECK(life(path, [crash = how] {
                  crash_at({.step = "read", .call = 7, .how = crash});
                  const InHand one{mark_of_reading(7)};
                  pass_step("", "read", 7);
              }) == signal);
        const auto found = death(path);
        REQUIRE(found);
        CHECK(found->signal == signal);
        CHECK(found->mark == mark_of_reading(7));
    }
}

TEST_CASE("a call that was put down is not blamed") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    static_cast<void>(life(path, [] {
        const InHand outer{7};
        { const InHand inner{8}; }
        die_by(SIGABRT);
    }));
    CHECK(death(path).value_or(LastDeath{}).mark == mark_of(7U));
    static_cast<void>(life(path, [] {
        { const InHand one{7}; }
        set_under_way(3, true);
        set_under_way(4, true);
        set_under_way(5, true);
        set_under_way(4, false);
        set_under_way(9, false);
        set_under_way(5, true);
        die_by(SIGABRT);
    }));
    const auto found = death(path);
    REQUIRE(found);
    CHECK(found->mark == Mark::none);
    CHECK(found->under_way == std::vector<std::uint32_t>{3, 5});
}

TEST_CASE("who was killed from outside, or has ended, died of no fault of its own") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    CHECK(life(path, [] {
              const InHand one{7};
              die_by(SIGKILL);
          }) == SIGKILL);
    CHECK_FALSE(death(path));
    CHECK(life(path, [] { const InHand one{7}; }) == 0);
    CHECK_FALSE(death(path));
    for (const int signal : {SIGSEGV, SIGABRT}) {
        CHECK(life(path, [&] {
                  const InHand one{7};
                  if (::fork() == 0) { // a stranger
                      ::kill(::getppid(), signal);
                      ::_exit(0);
                  }
                  for (;;) {
                      ::pause();
                  }
              }) == signal);
        CHECK_FALSE(death(path));
    }
}

TEST_CASE("a watchdog's SIGABRT is for a process that hangs, and that is its own fault") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    for (const bool is_watched : {true, false}) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe(ready.data()) == 0);
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            const rlimit none{.rlim_cur = 0, .rlim_max = 0};
            static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
            const auto page = HandPage::open(path);
            page->begin(is_watched);
            const InHand one{7};
            static_cast<void>(::write(ready[1], "r", 1));
            for (;;) {
                ::pause();
            }
        }
        char byte = 0;
        REQUIRE(::read(ready[0], &byte, 1) == 1);
        ::kill(pid, SIGABRT); // we are the parent
        int how = 0;
        REQUIRE(::waitpid(pid, &how, 0) == pid);
        ::close(ready[0]);
        ::close(ready[1]);
        CHECK(death(path).has_value() == is_watched);
        HandPage::open(path)->judge({});
    }
}

TEST_CASE("a process that was killed because it hung leaves what its main thread had in hand") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    static_cast<void>(life(path, [] {
        set_under_way(3, true);
        const InHand one{7};
        die_by(SIGKILL);
    }));
    HandPage::open(path)->note_hang();
    const auto found = death(path);
    REQUIRE(found);
    CHECK(found->signal == 0);
    CHECK(found->mark == mark_of(7U));
    CHECK(found->under_way == std::vector<std::uint32_t>{3});
    HandPage::open(path)->judge({});
    HandPage::open(path)->note_hang(); // told twice
    CHECK_FALSE(death(path));
}

TEST_CASE("a main thread that waits for one that reads a record hung on that record") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    const auto hang = [&path](Mark in_main, Mark in_other) {
        static_cast<void>(life(path, [&] {
            const InHand one{in_main};
            std::thread{[in_other] {
                const InHand other{in_other};
                die_by(SIGKILL);
            }}.join();
        }));
        HandPage::open(path)->note_hang();
        const Mark mark = death(path).value_or(LastDeath{}).mark;
        HandPage::open(path)->judge({});
        return mark;
    };
    CHECK(hang(Mark::none, mark_of_reading(8)) == mark_of_reading(8));
    CHECK(hang(mark_of(7U), mark_of_reading(8)) == mark_of(7U));
    CHECK(hang(Mark::none, mark_of(8U)) == Mark::none); // the media thread's: it waits for nobody
    CHECK(hang(Mark::none, mark_of("a@b")) == Mark::none);
}

TEST_CASE("each thread has its own call in hand") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    static_cast<void>(life(path, [] {
        const InHand main_thread{7};
        std::thread{[] {
            const InHand other{8};
            die_by(SIGABRT);
        }}.join();
    }));
    CHECK(death(path).value_or(LastDeath{}).mark == mark_of(8U));
}

TEST_CASE("a death is judged once, with the suspects, and the suspects outlive their processes") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    static_cast<void>(life(path, [] {
        const InHand one{7};
        die_by(SIGABRT);
    }));
    std::vector<Suspect> many;
    for (std::uint32_t i = 1; i <= HandPage::suspects_max + 1; ++i) {
        many.push_back({.call = i, .deaths = i % 3 + 1, .identity = ~std::uint64_t{i}});
    }
    HandPage::open(path)->judge(many);
    CHECK_FALSE(death(path));
    many.pop_back();
    CHECK(HandPage::open(path)->suspects() == many);
    static_cast<void>(life(path, [] { die_by(SIGKILL); }));
    CHECK_FALSE(death(path));
    CHECK(HandPage::open(path)->suspects() == many);
    HandPage::open(path)->judge({});
    CHECK(HandPage::open(path)->suspects().empty());
}

TEST_CASE("a death that no start has judged waits for one, also behind a start that was killed") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    static_cast<void>(life(path, [] {
        set_under_way(3, true);
        const InHand one{7};
        die_by(SIGABRT);
    }));
    static_cast<void>(life(path, [] { die_by(SIGKILL); }));
    const auto found = death(path);
    REQUIRE(found);
    CHECK(found->mark == mark_of(7U));
    CHECK(found->under_way == std::vector<std::uint32_t>{3});
}

TEST_CASE("what is no page of ours is replaced, and where there can be none the phone starts") {
    set_log_sink([](Level, std::string_view) {});
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/hand.page";
    const auto works = [&] {
        HandPage::open(path)->judge({{.call = 1, .deaths = 1, .identity = 2}});
        return HandPage::open(path)->suspects().size() == 1;
    };
    const auto write = [&](const std::string& text) {
        ::unlink(path.c_str());
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
        REQUIRE(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        ::close(file);
    };
    REQUIRE(works());
    for (const std::string& text : {std::string{}, std::string{"x"}, std::string(4096, '\0'),
                                    std::string(4096, '\xFF'), std::string(10'000, 'x')}) {
        write(text);
        CHECK(works());
    }
    REQUIRE(::truncate(path.c_str(), 1000) == 0);
    CHECK(works());
    ::unlink(path.c_str());
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(works());
    ::unlink(path.c_str());
    REQUIRE(::symlink("/etc/passwd", path.c_str()) == 0);
    CHECK(works());
    const std::string other = directory.path() + "/other";
    REQUIRE(::link(path.c_str(), other.c_str()) == 0); // somebody's backup
    HandPage::open(path)->judge({});
    CHECK(HandPage::open(other)->suspects().size() == 1);
    ::unlink(path.c_str());
    REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    const auto page = HandPage::open(path);
    page->begin(false);
    const InHand one{7};
    CHECK_FALSE(page->last_death());
    set_log_sink({});
}
