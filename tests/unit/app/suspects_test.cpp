// Which record is put away, which call is only suspected, and in which order they come back.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/keeper_link.hpp"
#include "app/suspects.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_agent.hpp"
#include "unit/fakes/fake_engine.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/main_loop.hpp"
#include "unit/fakes/quiet.hpp"

using namespace revenant;
using base::InHand;
using base::LastDeath;
using base::Mark;
using base::mark_of;
using base::Suspect;
using Numbers = std::vector<std::uint32_t>;

namespace {

std::vector<call::Dialog> records(std::uint32_t count) {
    std::vector<call::Dialog> all;
    for (std::uint32_t i = 1; i <= count; ++i) {
        call::Dialog d = call::sample_call(call::State::established).dialog;
        d.number = i;
        d.call_id = fmt::format("call-{}", i);
        d.timer.deadline_ms = i;
        d.media.local.port = static_cast<std::uint16_t>(20000 + 2 * i);
        all.push_back(d);
    }
    return all;
}

// "number:deaths …"
std::string text(const std::vector<Suspect>& suspects) {
    std::string all;
    for (const Suspect& s : suspects) {
        all += fmt::format("{}{}:{}", all.empty() ? "" : " ", s.call, s.deaths);
    }
    return all;
}

// Starts of a phone with a store and a page, each of which ends by a signal or in good order.
class Starts {
public:
    Starts() {
        char name[] = "/tmp/revenant-suspects-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        directory_ = name;
        for (const call::Dialog& dialog : records(3)) {
            REQUIRE(store.save(dialog));
        }
    }

    Starts(const Starts&) = delete;
    Starts& operator=(const Starts&) = delete;

    ~Starts() { std::filesystem::remove_all(directory_); }

    // A start that judges what was before, unless it is to die reading, and lives as it is told.
    void start(const std::function<void()>& live, bool judges = true) {
        const auto page = base::HandPage::open(path());
        app::Suspects suspects{*page, store};
        suspects.judge_unread();
        if (judges) {
            auto loaded = store.load();
            suspects.judge(*loaded);
        }
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            const rlimit none{.rlim_cur = 0, .rlim_max = 0};
            static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
            page->begin(false);
            live();
            ::_exit(0);
        }
        int how = 0;
        REQUIRE(::waitpid(pid, &how, 0) == pid);
    }

    // Dies of its own fault with that in hand.
    void dies_on(Mark mark, const Numbers& under_way = {}) {
        start([&] {
            for (const std::uint32_t call : under_way) {
                base::set_under_way(call, true);
            }
            const InHand hand{mark};
            static_cast<void>(::raise(SIGSEGV));
        });
    }

    void dies_reading(std::uint32_t call) {
        start(
            [&] {
                const InHand hand{base::mark_of_reading(call)};
                static_cast<void>(::raise(SIGSEGV));
            },
            false);
    }

    void is_killed_on(std::uint32_t call) {
        start([&] {
            const InHand hand{call};
            static_cast<void>(::raise(SIGKILL));
        });
    }

    // The next start: "put away; suspects; comes back".
    std::string next() {
        const auto page = base::HandPage::open(path());
        app::Suspects suspects{*page, store};
        suspects.judge_unread();
        auto loaded = store.load();
        REQUIRE(loaded);
        suspects.judge(*loaded);
        std::string all;
        for (const auto& one : suspects.quarantined()) {
            all += fmt::format("{} away, ", one.dialog.number);
            reasons.push_back(one.reason);
        }
        for (const call::Number number : suspects.calls()) {
            all += fmt::format("{} suspected, ", number);
        }
        for (const call::Dialog& dialog : loaded->dialogs) {
            all += fmt::format("{} ", dialog.number);
        }
        return all + "back";
    }

    [[nodiscard]] std::string path() const { return directory_ + "/hand.page"; }

    journal::MemoryStore store;
    std::vector<std::string> reasons;

private:
    std::string directory_;
};

} // namespace

TEST_CASE("the first death makes a suspect, the second in a row puts the record away") {
    Starts s;
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 suspected, 1 2 3 back");
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 away, 1 3 back");
    REQUIRE(s.reasons.size() == 1);
    CHECK(s.reasons[0] == "two starts in a row died on it (SIGSEGV); its record is now "
                          "2.quarantined: to try it again, end the phone and rename it to 2.json");
    CHECK(s.store.quarantined.contains(2));
    CHECK(s.next() == "1 3 back");
}

TEST_CASE("a record that was put back is tried twice again") {
    Starts s;
    s.dies_on(mark_of(2U));
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 away, 1 3 back");
    s.store.records[2] = s.store.quarantined[2];
    CHECK(s.next() == "1 2 3 back");
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 suspected, 1 2 3 back");
}

TEST_CASE("killed from outside, however often: nothing is put away and nobody suspected") {
    Starts s;
    for (int i = 0; i < 5; ++i) {
        s.is_killed_on(2);
    }
    CHECK(s.next() == "1 2 3 back");
    s.dies_on(mark_of(2U));
    for (int i = 0; i < 5; ++i) {
        s.is_killed_on(2);
    }
    CHECK(s.next() == "2 suspected, 1 2 3 back");
}

TEST_CASE("a message's call is known by its Call-ID, a stranger's is nobody's") {
    Starts s;
    s.dies_on(mark_of("call-3"));
    CHECK(s.next() == "3 suspected, 1 2 3 back");
    s.dies_on(mark_of("a stranger's"), {1, 2});
    CHECK(s.next() == "3 suspected, 1 2 3 back");
}

TEST_CASE("with nothing in hand it is what was under way, and with several of them nobody yet") {
    Starts s;
    s.dies_on(Mark::none, {1, 3});
    CHECK(s.next() == "1 suspected, 3 suspected, 1 2 3 back");
    s.dies_on(Mark::none, {1, 3}); // as before: that says no more
    CHECK(s.next() == "1 suspected, 3 suspected, 1 2 3 back");
    s.dies_on(Mark::none, {3});
    CHECK(s.next() == "3 away, 1 suspected, 1 2 back");
    s.dies_on(Mark::none, {});
    CHECK(s.next() == "1 suspected, 1 2 back");
}

TEST_CASE("two records that kill are both put away, one after the other") {
    Starts s;
    s.dies_on(mark_of(1U));
    s.dies_on(mark_of(2U));
    s.dies_on(mark_of(1U));
    s.dies_on(mark_of(2U));
    CHECK(s.store.quarantined.contains(1));
    CHECK(s.next() == "2 away, 3 back");
}

TEST_CASE("what cannot be read without a death is put away unread") {
    Starts s;
    s.dies_reading(2);
    CHECK(s.next() == "2 suspected, 1 2 3 back");
    s.dies_reading(2);
    CHECK(s.next() == "2 away, 1 3 back");
    CHECK(s.reasons.back().starts_with("two starts in a row died reading it"));
}

TEST_CASE("another call under the same number is not blamed") {
    Starts s;
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 suspected, 1 2 3 back");
    call::Dialog other = records(2)[1];
    other.call_id = "another";
    REQUIRE(s.store.save(other));
    s.dies_on(mark_of(2U));
    CHECK(s.next() == "2 suspected, 1 2 3 back");
    REQUIRE(s.store.remove(2));
    s.dies_on(mark_of(2U)); // it has no record
    CHECK(s.next() == "1 3 back");
}

TEST_CASE("the page's worst content puts no record away") {
    const auto two = records(2);
    CHECK(
        text(app::judged(LastDeath{.signal = 127, .mark = Mark{~std::uint64_t{0}}, .under_way = {}},
                         {}, two))
            .empty());
    CHECK(text(app::judged(std::nullopt,
                           {{.call = 1, .deaths = 9, .identity = 4711}, {.call = 99, .deaths = 9}},
                           two))
              .empty());
    CHECK(text(app::judged(LastDeath{.signal = 11, .mark = Mark::none, .under_way = Numbers(64, 2)},
                           {{.call = 2}, {.call = 0, .deaths = 1}}, two)) == "2:1");
}

namespace {

struct Bench {
    journal::MemoryStore store;
    media::FakeEngine media;
    sip::FakeAgent agent;
    app::Keeping keeping; // nobody there
    app::CallPorts ports{media, keeping};
    app::Switchboard board{store, media, ports, keeping, policy()};
    app::Comeback comeback{board, ports};

    Bench() { board.connect(agent); }

    static app::Policy policy() {
        app::Policy p;
        p.epoch = 9;
        return p;
    }

    void ready(call::Number number) {
        const Quiet quiet;
        board.on_event(number, call::event::Ready{});
    }
};

} // namespace

TEST_CASE("suspects come back after all others, and one at a time") {
    Bench b;
    b.comeback.take_over(records(5), {1, 3});
    bool done = false;
    {
        const Quiet quiet;
        b.comeback.restore([&] { b.comeback.go_on([&] { done = true; }); });
        b.board.on_wanted(1); // a message waits for it: that is no reason to hurry
        CHECK(b.agent.taken() ==
              "Restore 2 above 12000, Restore 4 above 12000, Restore 5 above 12000");
    }
    b.ready(2);
    b.ready(4);
    CHECK(b.agent.taken().empty());
    b.ready(5);
    CHECK(b.agent.taken() == "Restore 1 above 12000");
    b.ready(1);
    CHECK(b.agent.taken() == "Restore 3 above 12000");
    CHECK_FALSE(done);
    b.ready(3);
    CHECK(b.agent.taken() == "adopt_held_sockets");
    b.agent.queue_is_read();
    CHECK(done);
    {
        const Quiet quiet;
        b.comeback.refresh({3, 1, 2});
        CHECK(b.agent.taken() == "Arm 2");
        b.comeback.refresh({5});
        CHECK(b.agent.taken() == "Arm 5");
        // Somebody who does not answer does not keep them waiting for long.
        CHECK(run_until([&] { return !b.agent.said.empty(); }, 5000));
        CHECK(b.agent.taken() == "Arm 3");
    }
}

TEST_CASE("a suspect that has been back at two looks is one no more") {
    Starts s;
    s.dies_on(mark_of(2U));
    const auto page = base::HandPage::open(s.path());
    app::Suspects suspects{*page, s.store};
    suspects.judge_unread();
    auto loaded = s.store.load();
    suspects.judge(*loaded);
    Bench b;
    b.comeback.take_over(std::move(loaded->dialogs), suspects.calls());
    const Quiet quiet;
    b.comeback.restore([&] { b.comeback.go_on([] {}); });
    for (const call::Number number : {1U, 3U, 2U}) {
        b.ready(number);
    }
    suspects.look(b.board); // waits for `reinvite`
    suspects.look(b.board);
    CHECK(text(page->suspects()) == "2:1");
    b.comeback.refresh({2});
    suspects.look(b.board);
    suspects.look(b.board);
    CHECK(text(page->suspects()) == "2:1");
    b.board.on_event(2, call::event::Answered{.cseq = 5000,
                                              .facts = call::peer_facts(),
                                              .answer = call::peer_session()});
    suspects.look(b.board);
    CHECK(text(page->suspects()) == "2:1");
    suspects.look(b.board);
    CHECK(page->suspects().empty());
    CHECK(suspects.calls().empty());
}
