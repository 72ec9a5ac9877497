// The Switchboard with fakes on all sides: what is said, stored and played, in which order.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_agent.hpp"
#include "unit/fakes/fake_engine.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/main_loop.hpp"
#include "unit/fakes/quiet.hpp"

using namespace revenant;
using call::State;
namespace event = call::event;

namespace {

struct Bench {
    journal::FaultyStore store;
    media::FakeEngine media;
    sip::FakeAgent agent;
    app::Keeping keeping; // nobody there
    app::Switchboard board;

    explicit Bench(const std::function<void(app::Policy&)>& change = {})
        : board{store, media, keeping, policy(change)} {
        board.connect(agent);
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() = default;

    static app::Policy policy(const std::function<void(app::Policy&)>& change) {
        app::Policy p;
        p.codecs = call::our_codecs();
        if (change) {
            change(p);
        }
        return p;
    }

    base::Status apply(call::Number number, const call::Event& e) {
        const Quiet quiet;
        return board.apply(number, e);
    }

    void on_event(call::Number number, const call::Event& e) {
        const Quiet quiet;
        board.on_event(number, e);
    }

    base::Result<call::Number> dial(std::string_view target = "sip:bob@127.0.0.2") {
        const Quiet quiet;
        return board.dial(target);
    }

    std::optional<call::Number> invite(const call::RemoteSession& offer = call::peer_session()) {
        const Quiet quiet;
        const auto number = board.on_invite(call::new_call(call::Role::callee).dialog);
        if (number) {
            board.on_event(*number, event::Invited{.offer = offer});
        }
        return number;
    }

    call::Number establish() {
        const auto number = dial();
        REQUIRE(number);
        on_event(*number, event::Answered{.cseq = 2,
                                          .facts = call::peer_facts(),
                                          .answer = call::peer_session()});
        on_event(*number, event::Ready{});
        REQUIRE(state(*number) == State::established);
        agent.said.clear();
        return *number;
    }

    [[nodiscard]] State state(call::Number number) const {
        const call::Call* found = board.find(number);
        return found != nullptr ? found->state : State::over;
    }

    [[nodiscard]] std::optional<call::Dialog> stored(call::Number number) const {
        const auto& records = store.content().records;
        const auto found = records.find(number);
        if (found == records.end()) {
            return std::nullopt;
        }
        auto dialog = journal::decode(found->second);
        return dialog ? std::optional{*dialog} : std::nullopt;
    }
};

std::size_t count_of_text(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

// The dead are buried when the main loop is idle.
void settle() {
    const Quiet quiet;
    run_for_ms(3);
}

std::vector<call::Dialog> records(std::uint32_t count) {
    std::vector<call::Dialog> all;
    for (std::uint32_t i = 1; i <= count; ++i) {
        call::Dialog d = call::sample_call(State::established).dialog;
        d.number = i;
        d.call_id = fmt::format("call-{}", i);
        d.timer.deadline_ms = i;
        d.media.local.port = static_cast<std::uint16_t>(20000 + 2 * i);
        all.push_back(d);
    }
    return all;
}

std::size_t count_of(const std::vector<std::string>& said, std::string_view verb) {
    std::size_t n = 0;
    for (const std::string& one : said) {
        n += one.starts_with(verb) ? 1U : 0U;
    }
    return n;
}

// The ledger may wait for the media's word on the gap.
std::size_t counted(const Bench& b, call::Verdict verdict) {
    static_cast<void>(run_until([&] { return b.board.ledger().count(verdict) > 0; }, 2000));
    return b.board.ledger().count(verdict);
}

const auto any_call = [](const call::Call&) { return true; };

} // namespace

TEST_CASE("a call that we make: stored, sent, answered, played, ended") {
    Bench b;
    const auto number = b.dial();
    REQUIRE(number);
    CHECK(*number == 1);
    CHECK(b.agent.taken() == "SendInvite 1");
    CHECK(b.stored(1)->phase == call::Phase::inviting);
    CHECK_FALSE(b.media.sessions.at(1).running);
    b.on_event(1, event::Progress{.status = 180, .remote_tag = "peer-tag"});
    b.on_event(
        1, event::Answered{.cseq = 2, .facts = call::peer_facts(), .answer = call::peer_session()});
    CHECK(b.agent.taken() == "Acknowledge 1");
    CHECK(b.stored(1)->phase == call::Phase::established);
    CHECK(b.stored(1)->remote_tag == "peer-tag");
    CHECK(b.media.sessions.at(1).running);
    CHECK(b.media.sessions.at(1).media.remote.port == 40000);
    CHECK(b.apply(1, event::HangUp{}));
    CHECK(b.agent.taken() == "SendBye 1");
    CHECK(b.stored(1)->phase == call::Phase::ending);
    CHECK(b.media.sessions.empty());
    b.on_event(1, event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    b.on_event(1, event::Terminated{});
    CHECK_FALSE(b.stored(1));
    settle();
    CHECK(b.agent.taken() == "retire 1");
    CHECK(b.board.find(1) == nullptr);
}

TEST_CASE("the record is in the store before each verb that the peer hears") {
    Bench b;
    std::vector<std::string> seen;
    b.agent.on_verb = [&](const std::string& verb) {
        const auto record = b.stored(1);
        seen.push_back(fmt::format("{}: {}", verb, record ? static_cast<int>(record->phase) : -1));
    };
    static_cast<void>(b.invite());
    CHECK(b.apply(1, event::Answer{}));
    b.on_event(1, event::PeerBye{.cseq = 2});
    CHECK(seen == std::vector<std::string>{
                      fmt::format("Respond 1 180: {}", static_cast<int>(call::Phase::ringing)),
                      fmt::format("Respond 1 200: {}", static_cast<int>(call::Phase::answered)),
                      "RespondBye 1: -1"});
}

TEST_CASE("hold and unhold say it in a re-INVITE and mute what we send") {
    Bench b;
    const call::Number n = b.establish();
    CHECK(b.apply(n, event::Hold{}));
    CHECK(b.agent.taken() == "Reoffer 1");
    CHECK(b.stored(n)->in_flight.reoffer);
    CHECK(call::direction_of(b.stored(n)->local_sdp) == call::Direction::sendonly);
    b.on_event(n, event::Answered{.cseq = 3,
                                  .facts = call::peer_facts(),
                                  .answer = call::peer_session(call::Direction::recvonly)});
    CHECK(b.agent.taken() == "Acknowledge 1");
    CHECK(b.media.sessions.at(n).muted);
    CHECK(b.stored(n)->hold.local);
    CHECK_FALSE(b.apply(n, event::Hold{}));
    CHECK(b.apply(n, event::Unhold{}));
    b.on_event(
        n, event::Answered{.cseq = 4, .facts = call::peer_facts(), .answer = call::peer_session()});
    CHECK_FALSE(b.media.sessions.at(n).muted);
    CHECK_FALSE(b.stored(n)->hold.local);
}

TEST_CASE("disk full: no INVITE leaves, and nothing is left open") {
    Bench b;
    b.store.fail_from(1);
    const auto number = b.dial();
    REQUIRE_FALSE(number);
    CHECK(number.error().code == base::Errc::no_space);
    CHECK(b.agent.taken().empty());
    CHECK(b.media.sessions.empty());
    CHECK(b.board.calls().empty());
    b.store.heal();
    CHECK(b.dial());
}

TEST_CASE("disk full: a call that comes in hears 500, and nothing is left open") {
    Bench b;
    b.store.fail_from(1);
    static_cast<void>(b.invite());
    CHECK(b.agent.taken() == "Respond 1 500");
    CHECK(b.media.sessions.empty());
    settle();
    CHECK(b.board.calls().empty());
}

TEST_CASE("disk full: answering fails and the call rings on") {
    Bench b;
    REQUIRE(b.invite());
    b.agent.said.clear();
    b.store.fail_at(1);
    CHECK_FALSE(b.apply(1, event::Answer{}));
    CHECK(b.agent.taken().empty());
    CHECK(b.state(1) == State::alerting);
    CHECK(b.apply(1, event::Answer{}));
    CHECK(b.agent.taken() == "Respond 1 200");
}

TEST_CASE("disk full: the 200 to our INVITE is ACKed and ended") {
    Bench b;
    REQUIRE(b.dial());
    b.agent.said.clear();
    b.store.fail_from(1);
    b.on_event(
        1, event::Answered{.cseq = 2, .facts = call::peer_facts(), .answer = call::peer_session()});
    CHECK(b.agent.taken() == "Acknowledge 1, SendBye 1");
    CHECK(b.media.sessions.empty());
}

TEST_CASE("disk full: the peer's re-INVITE hears 500 and the call goes on as it was") {
    Bench b;
    const call::Number n = b.establish();
    const call::Dialog before = b.board.find(n)->dialog;
    b.store.fail_at(1);
    b.on_event(n, event::Offered{.cseq = 5,
                                 .facts = call::peer_facts(),
                                 .offer = call::peer_session(call::Direction::sendonly, 2)});
    CHECK(b.agent.taken() == "Reply 1 500");
    CHECK(b.board.find(n)->dialog == before);
    CHECK(b.stored(n) == before);
}

TEST_CASE("disk full: hanging up says BYE all the same") {
    Bench b;
    const call::Number n = b.establish();
    b.store.fail_from(1);
    CHECK(b.apply(n, event::HangUp{}));
    CHECK(b.agent.taken() == "SendBye 1");
}

TEST_CASE("a call in that nobody here could answer leaves no media open") {
    Bench b;
    static_cast<void>(b.invite(call::foreign_session()));
    settle();
    CHECK(b.media.sessions.empty());
}

TEST_CASE("a dialog that cannot be rebuilt is not tried again without a pause") {
    Bench b;
    const Quiet quiet;
    std::size_t births = 0;
    std::vector<base::Source> reports;
    b.agent.on_verb = [&](const std::string& verb) {
        if (verb.starts_with("Restore") && births < 1000) {
            ++births;
            reports.push_back(base::when_idle([&] {
                b.board.on_event(1, event::Terminated{.status = 503, .reason = "not listened on"});
            }));
        }
    };
    b.board.adopt(records(1), 2, false);
    b.board.restore({});
    run_for_ms(100);
    CHECK(births < 10);
    CHECK(counted(b, call::Verdict::lost) == 1);
}

TEST_CASE("calls are numbered upwards, and not as one that has just ended") {
    Bench b;
    b.board.reserve(2);
    CHECK(b.dial() == 1U);
    CHECK(b.dial() == 3U);
    CHECK(b.dial() == 4U);
    b.on_event(1, event::Terminated{});
    settle();
    CHECK(b.dial() == 5U);
    for (call::Number n = 6; n <= 999; ++n) { // the last that is easily typed
        REQUIRE(b.dial() == n);
        b.on_event(n, event::Terminated{});
        settle();
    }
    CHECK(b.dial() == 1U);
    CHECK(b.dial() == 6U);
}

TEST_CASE("the end of a call tells what it was") {
    Bench b;
    const Quiet quiet;
    b.dial();
    b.board.on_event(
        1, event::Answered{.cseq = 2, .facts = call::peer_facts(), .answer = call::peer_session()});
    b.board.on_event(1, event::PeerBye{.cseq = 9, .reason = "Q.850;cause=16"});
    const std::string printed = quiet.text();
    CHECK(printed.find("call 1: the other end hung up: Q.850;cause=16 after 0:0") !=
          std::string::npos);
    CHECK(printed.find("; 12 packets sent, 11 received, 1 lost") != std::string::npos);
}

TEST_CASE("there is a limit to the calls, and to the ports") {
    Bench b{[](app::Policy& p) { p.calls_max = 1; }};
    CHECK(b.dial() == 1U);
    CHECK_FALSE(b.dial());
    CHECK_FALSE(b.invite());
    Bench c;
    c.media.ports_left = false;
    CHECK_FALSE(c.dial());
    CHECK_FALSE(c.invite());
    CHECK(c.board.calls().empty());
    c.media.ports_left = true;
    c.agent.reachable = false;
    CHECK(c.dial().error().code == base::Errc::unreachable);
    CHECK(c.media.sessions.empty());
}

TEST_CASE("calls may be answered by the policy") {
    Bench yes{[](app::Policy& p) { p.auto_answer = 200; }};
    REQUIRE(yes.invite());
    CHECK(yes.agent.taken() == "Respond 1 200");
    Bench no{[](app::Policy& p) { p.auto_answer = 486; }};
    REQUIRE(no.invite());
    CHECK(no.agent.taken() == "Respond 1 486");
    no.on_event(1, event::Terminated{.status = 486});
    CHECK(no.media.sessions.empty());
}

TEST_CASE("an event for a call that is gone is no command that succeeds") {
    Bench b;
    CHECK(b.apply(9, event::HangUp{}).error().code == base::Errc::not_found);
    b.on_event(9, event::PeerBye{});
    CHECK(b.agent.taken().empty());
    CHECK(b.board.dialog(9) == nullptr);
}

TEST_CASE("choose(): the one call that fits, or an error that helps") {
    Bench b;
    CHECK(b.board.choose("", any_call, "to end").error().code == base::Errc::not_found);
    static_cast<void>(b.dial());
    CHECK(b.board.choose("", any_call, "to end") == 1U);
    static_cast<void>(b.dial());
    const auto which = b.board.choose("", any_call, "to end");
    REQUIRE_FALSE(which);
    CHECK(which.error().code == base::Errc::bad_input);
    CHECK(which.error().context.find("1, 2") != std::string::npos);
    CHECK(b.board.choose("2", any_call, "to end") == 2U);
    CHECK(b.board.choose("3", any_call, "to end").error().code == base::Errc::not_found);
    for (const char* bad : {"x", "-1", "2 ", "99999999999", "\x1B[m"}) {
        const auto none = b.board.choose(bad, any_call, "to end");
        REQUIRE_FALSE(none);
        CHECK(none.error().code == base::Errc::bad_input);
        CHECK(none.error().context.find('\x1B') == std::string::npos);
    }
    const auto second = [](const call::Call& c) { return c.dialog.number == 2; };
    CHECK(b.board.choose("", second, "to end") == 2U);
    b.on_event(2, event::Terminated{});
    CHECK_FALSE(b.board.choose("", second, "to end"));
    for (int i = 0; i < 15; ++i) {
        static_cast<void>(b.dial());
    }
    CHECK(b.board.choose("", any_call, "to end").error().context.find("…") != std::string::npos);
}

TEST_CASE("a restart: restore through the stand-in, resume by one armed re-INVITE") {
    Bench b;
    const Quiet quiet;
    b.board.adopt(records(1), 2, false);
    CHECK(b.media.sessions.at(1).local.port == 20002);
    CHECK_FALSE(b.media.sessions.at(1).running);
    bool done = false;
    b.board.restore([&] { done = true; });
    CHECK(b.agent.taken() == "Restore 1 above 5000");
    CHECK_FALSE(done);
    b.board.on_event(1, event::Answered{.cseq = 5001, .from_stand_in = true});
    b.board.on_event(1, event::Ready{});
    CHECK(b.agent.taken() == "AcknowledgeStandIn 1");
    CHECK(done);
    b.board.resume({1});
    CHECK(b.agent.taken() == "Arm 1");
    CHECK(b.media.sessions.at(1).running);
    b.board.on_event(
        1,
        event::Answered{.cseq = 5002, .facts = call::peer_facts(), .answer = call::peer_session()});
    CHECK(b.agent.taken() == "Acknowledge 1");
    CHECK(counted(b, call::Verdict::survived) == 1);
    CHECK(b.stored(1)->resumes == 1);
    CHECK(b.stored(1)->cseq_watermark == 6000);
    CHECK(b.stored(1)->epoch == 2);
}

TEST_CASE("the ledger counts each call once, by its last verdict") {
    Bench b;
    const Quiet quiet;
    auto three = records(3);
    three[2].phase = call::Phase::inviting;
    b.board.adopt(three, 2, false);
    b.board.restore({});
    for (const call::Number n : {1U, 2U}) {
        b.board.on_event(n, event::Ready{});
    }
    b.board.resume({1, 2});
    b.board.on_event(1, event::Answered{.cseq = 5002, .answer = call::peer_session()});
    b.board.on_event(2, event::Failed{.status = 481, .reason = "Gone", .cseq = 5002});
    b.board.on_event(2, event::Ready{});
    CHECK(counted(b, call::Verdict::survived) == 1);
    CHECK(counted(b, call::Verdict::finished) == 1);
    CHECK(counted(b, call::Verdict::lost) == 1);
    const std::string printed = quiet.text();
    CHECK(printed.find("1 survived, 1 finished, 1 lost") != std::string::npos);
}

TEST_CASE("a call that a message waits for is restored next") {
    Bench b;
    const Quiet quiet;
    b.board.adopt(records(200), 2, false);
    b.board.restore({});
    b.agent.said.clear();
    b.board.on_wanted(199);
    b.board.on_wanted(7777); // no such call
    b.board.on_event(1, event::Ready{});
    CHECK(b.agent.taken().starts_with("Restore 199"));
}

TEST_CASE("a long way back says each second how far it has come") {
    Bench b;
    const Quiet quiet;
    b.board.adopt(records(120), 2, false);
    b.board.restore({});
    CHECK(run_until(
        [&] { return quiet.text().find("70 calls still to be rebuilt") != std::string::npos; }));
}

TEST_CASE("a copied record is left alone, and its number with it") {
    Bench b;
    const Quiet quiet;
    auto two = records(2);
    two[1].call_id = two[0].call_id;
    two[1].cseq_watermark = two[0].cseq_watermark + 1; // knows more
    b.board.adopt(two, 2, false);
    CHECK(b.board.find(1) == nullptr);
    CHECK(b.board.find(2) != nullptr);
    CHECK(b.dial() == 3U);
    CHECK(quiet.text().find("call 1 is left alone") != std::string::npos);
}

TEST_CASE("media that cannot be bound again do not keep a call from coming back") {
    Bench b;
    const Quiet quiet;
    b.media.ports_left = false;
    b.board.adopt(records(1), 2, true);
    b.board.restore({});
    b.board.on_event(1, event::Ready{});
    b.board.resume({1});
    b.board.on_event(1, event::Answered{.cseq = 5002, .answer = call::peer_session()});
    CHECK(b.state(1) == State::established);
}

TEST_CASE("never more than 50 calls are on their way back at once") {
    Bench b;
    const Quiet quiet;
    constexpr std::uint32_t all = 137;
    b.board.adopt(records(all), 2, false);
    bool done = false;
    b.board.restore([&] { done = true; });
    CHECK(count_of(b.agent.said, "Restore") == 50);
    for (std::uint32_t i = 1; i <= all; ++i) {
        CHECK(done == false);
        b.board.on_event(i, event::Ready{});
        CHECK(count_of(b.agent.said, "Restore") == std::min<std::size_t>(all, 50 + i));
    }
    CHECK(done);
    std::vector<call::Number> numbers;
    for (std::uint32_t i = 1; i <= all; ++i) {
        numbers.push_back(i);
    }
    b.board.resume(numbers);
    CHECK(count_of(b.agent.said, "Arm") == 50);
    b.board.on_event(1, event::Answered{.cseq = 5002, .answer = call::peer_session()});
    CHECK(count_of(b.agent.said, "Arm") == 51);
    b.board.on_event(2, event::PeerBye{.cseq = 5});
    CHECK(count_of(b.agent.said, "Arm") == 52);
}

TEST_CASE("calls come back in the order of their session timers, those without last") {
    Bench b;
    const Quiet quiet;
    auto some = records(4);
    some[0].timer.deadline_ms = 0;
    some[1].timer.deadline_ms = 3000;
    some[2].timer.deadline_ms = 1000;
    some[3].timer.deadline_ms = 2000;
    b.board.adopt(some, 2, false);
    b.board.restore({});
    CHECK(b.agent.taken() == "Restore 3 above 5000, Restore 4 above 5000, Restore 2 above 5000, "
                             "Restore 1 above 5000");
}

TEST_CASE("a retry timer leads to the next re-INVITE, and ends with its call") {
    Bench b;
    const Quiet quiet;
    b.board.adopt(records(1), 2, false);
    b.board.restore({});
    b.board.on_event(1, event::Ready{});
    b.board.resume({1});
    b.board.on_event(1, event::Failed{.status = 503, .reason = "Busy", .cseq = 5002});
    b.board.on_event(1, event::Ready{});
    CHECK(b.state(1) == State::retrying);
    b.agent.said.clear();
    CHECK(run_until([&] { return b.state(1) == State::resuming; }, 3000));
    CHECK(b.agent.taken() == "Arm 1");
    b.board.on_event(1, event::Terminated{});
    CHECK(b.agent.taken() == "Dispose 1, Restore 1 above 5103");
    CHECK(b.stored(1) == std::nullopt); // the block still holds: nothing had to be stored
}

TEST_CASE("no more calls ring than may, and who comes beyond leaves one line a burst") {
    Bench b{[](app::Policy& p) { p.ringing_max = 2; }};
    const Quiet out;
    REQUIRE(b.board.may_ring());
    const auto first = b.invite();
    REQUIRE(b.board.may_ring());
    REQUIRE(b.invite());
    for (int i = 0; i < 12; ++i) {
        CHECK_FALSE(b.board.may_ring());
    }
    CHECK(b.board.calls().size() == 2);
    REQUIRE(b.apply(*first, event::Answer{}));
    CHECK(b.board.may_ring());
    const std::string line = "12 more calls were refused: 2 are ringing";
    CHECK(run_until([&] { return out.text().find(line) != std::string::npos; }));
    run_for_ms(50);
    CHECK(count_of_text(out.text(), "refused") == 1);
}

TEST_CASE("calls that rang before the restart count among those that ring") {
    Bench b{[](app::Policy& p) { p.ringing_max = 1; }};
    const Quiet quiet;
    auto some = records(1);
    some[0].role = call::Role::callee;
    some[0].phase = call::Phase::ringing;
    b.board.adopt(some, 2, false);
    CHECK_FALSE(b.board.may_ring());
}

TEST_CASE("a call that nobody answers ends by itself") {
    Bench b{[](app::Policy& p) { p.no_answer_s = 1; }};
    const auto number = b.invite();
    REQUIRE(number);
    const Quiet quiet;
    CHECK(run_until([&] { return b.state(*number) == State::refusing; }, 5000));
    CHECK(b.stored(*number)->in_flight.status == 480);
}

TEST_CASE("a wait ends with the step that it waits for, or with its deadline") {
    Bench b;
    const call::Number n = b.establish();
    std::vector<std::string> ends;
    const auto end = [&](std::string name) {
        return [&ends, name = std::move(name)](const base::Status& status) {
            ends.push_back(name + (status ? " ok" : " " + status.error().context));
        };
    };
    const auto is_over = [](const call::Call& c) -> std::optional<base::Status> {
        return c.state == State::over ? std::optional{base::Status{}} : std::nullopt;
    };
    b.board.waits().add(n, is_over, 0, "wait ended", end("mine"));
    b.board.waits().add(std::nullopt, is_over, 5000, "wait ended", end("any"));
    b.board.waits().add(n + 1, is_over, 0, "wait ended", end("other's"));
    b.board.waits().add(
        n, [](const call::Call&) { return std::nullopt; }, 1, "wait x", end("late"));
    CHECK(run_until([&] { return !ends.empty(); }));
    CHECK(ends == std::vector<std::string>{"late wait x: not within 0.001 s"});
    CHECK(b.apply(n, event::HangUp{}));
    CHECK(ends.size() == 1);
    b.on_event(n, event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    b.on_event(n, event::Terminated{});
    CHECK(ends == std::vector<std::string>{"late wait x: not within 0.001 s", "mine ok", "any ok"});
    CHECK_FALSE(b.board.waits().empty());
}

TEST_CASE("what a wait starts may wait in turn, and may end the call") {
    Bench b;
    const call::Number n = b.establish();
    std::string order;
    const auto in = [](State state) {
        return [state](const call::Call& c) -> std::optional<base::Status> {
            return c.state == state ? std::optional{base::Status{}} : std::nullopt;
        };
    };
    b.board.waits().add(n, in(State::modifying), 0, "", [&](const base::Status&) {
        order += "modifying ";
        b.board.waits().add(n, in(State::ending), 0, "",
                            [&](const base::Status&) { order += "ending "; });
        CHECK(b.board.apply(n, event::HangUp{}));
    });
    CHECK(b.apply(n, event::Hold{}));
    CHECK(order == "modifying ending ");
    CHECK(b.state(n) == State::ending);
}

TEST_CASE("on_change is told of states, not of steps that change nothing") {
    Bench b;
    const call::Number n = b.establish();
    int changes = 0;
    b.board.on_change = [&] { ++changes; };
    b.on_event(n, event::PeerInfo{.cseq = 3});
    CHECK(changes == 0);
    CHECK(b.apply(n, event::Hold{}));
    CHECK(changes == 1);
}
