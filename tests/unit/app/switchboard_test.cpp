// The Switchboard with fakes on all sides: what is said, stored and played, in which order.
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

#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/switchboard_bench.hpp"

using namespace revenant;

namespace {

// The dead are buried when the main loop is idle.
void settle() {
    const Quiet quiet;
    run_for_ms(3);
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

TEST_CASE("a call in that nobody here could answer leaves no media open") {
    Bench b;
    static_cast<void>(b.invite(call::foreign_session()));
    settle();
    CHECK(b.media.sessions.empty());
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
        b.board.apply(n, event::HangUp{});
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
