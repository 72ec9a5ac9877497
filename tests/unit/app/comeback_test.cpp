// The way back from a restart, with fakes on all sides: who says what, in which order.
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

std::size_t count_of(const std::vector<std::string>& said, std::string_view verb) {
    std::size_t n = 0;
    for (const std::string& one : said) {
        n += one.starts_with(verb) ? 1U : 0U;
    }
    return n;
}

} // namespace

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
    b.comeback.take_over(records(1), {});
    b.comeback.restore({});
    run_for_ms(100);
    CHECK(births < 10);
    CHECK(counted(b, call::Verdict::lost) == 1);
}

TEST_CASE("a restart: restore through the stand-in, resume by one armed re-INVITE") {
    Bench b;
    const Quiet quiet;
    b.comeback.take_over(records(1), {});
    CHECK(b.media.sessions.at(1).local.port == 20002);
    CHECK_FALSE(b.media.sessions.at(1).running);
    bool done = false;
    b.comeback.restore([&] { done = true; });
    CHECK(b.agent.taken() == "Restore 1 above 5000");
    CHECK_FALSE(done);
    b.board.on_event(1, event::Answered{.cseq = 5001, .from_stand_in = true});
    b.board.on_event(1, event::Ready{});
    CHECK(b.agent.taken() == "AcknowledgeStandIn 1");
    CHECK(done);
    b.comeback.refresh({1});
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

TEST_CASE("no peer hears anything before the way back is to go on") {
    Bench b{[](app::Policy& p) { p.resumes_by_itself = true; }};
    const Quiet quiet;
    auto all = records(5);
    all[1].phase = call::Phase::ending; // our BYE has no answer
    all[2].phase = call::Phase::inviting;
    all[2].in_flight.cseq = 2;
    all[3].role = call::Role::caller;
    all[3].in_flight.cseq = 2; // the ACK may not have left
    b.comeback.take_over(all, {5});
    bool quarantined = false;
    bool in_service = false;
    b.comeback.restore([&] { quarantined = true; });
    CHECK(b.agent.taken() == "Restore 1 above 5000");
    b.board.on_event(1, event::Answered{.cseq = 5001, .from_stand_in = true});
    b.board.on_event(1, event::Ready{});
    CHECK(quarantined);
    CHECK(b.agent.taken() == "AcknowledgeStandIn 1");
    run_for_ms(50); // for as long as it takes
    CHECK(b.agent.taken().empty());

    b.comeback.go_on([&] { in_service = true; });
    CHECK(b.agent.taken() == "Restore 2 above 5000, RepeatInvite 3 above 5000, "
                             "Restore 4 above 5000");
    for (const call::Number number : {2U, 4U}) {
        b.board.on_event(number, event::Ready{});
    }
    CHECK(b.agent.taken() == "SendBye 2, AcknowledgeAgain 4 2, Restore 5 above 5000");
    b.board.on_event(5, event::Ready{}); // a suspect comes alone, and last
    CHECK(b.agent.taken() == "adopt_held_sockets");
    CHECK_FALSE(in_service);
    b.agent.queue_is_read();
    CHECK(b.agent.taken() == "Arm 1, Arm 4");
    CHECK(in_service);
}

TEST_CASE("a call that its peer has ended meanwhile is not asked to go on") {
    Bench b{[](app::Policy& p) { p.resumes_by_itself = true; }};
    const Quiet quiet;
    b.comeback.take_over(records(2), {});
    b.comeback.restore([&] { b.comeback.go_on([] {}); });
    for (const call::Number number : {1U, 2U}) {
        b.board.on_event(number, event::Ready{});
    }
    b.agent.said.clear();
    b.board.on_event(1, event::PeerBye{.cseq = 5}); // has waited in the socket
    b.agent.queue_is_read();
    CHECK(b.agent.taken() == "RespondBye 1, Arm 2");
}

TEST_CASE("nobody is asked to go on before the user says so") {
    Bench b;
    const Quiet quiet;
    bool in_service = false;
    b.comeback.take_over(records(2), {});
    b.comeback.restore([&] { b.comeback.go_on([&] { in_service = true; }); });
    for (const call::Number number : {1U, 2U}) {
        b.board.on_event(number, event::Ready{});
    }
    b.agent.said.clear();
    b.agent.queue_is_read();
    CHECK(in_service);
    CHECK(b.agent.taken().empty());
    CHECK(quiet.text().find("2 calls of an earlier run are waiting") != std::string::npos);
}

TEST_CASE("streams run on before anything is rebuilt, if nobody has to ask for it") {
    Bench b{[](app::Policy& p) { p.resumes_by_itself = true; }};
    const Quiet quiet;
    b.comeback.take_over(records(1), {});
    CHECK(b.media.sessions.at(1).running);
    CHECK(b.agent.taken().empty());
}

TEST_CASE("the ledger's line waits for the word on the stream's gap, and not for ever") {
    Bench b;
    const Quiet quiet;
    b.media.is_gap_known = false;
    b.comeback.take_over(records(2), {});
    b.comeback.restore([&] { b.comeback.go_on([] {}); });
    for (const call::Number number : {1U, 2U}) {
        b.board.on_event(number, event::Ready{});
    }
    b.comeback.refresh({1, 2});
    std::vector<call::Number> lines;
    b.board.ledger().on_line = [&](call::Number number) { lines.push_back(number); };
    const auto answer = [&](call::Number number) {
        b.board.on_event(number, event::Answered{.cseq = 5002, .answer = call::peer_session()});
    };
    answer(1);
    CHECK(lines.empty());
    b.media.is_gap_known = true;
    b.board.ledger().gap_is_known(1);
    CHECK(lines == std::vector<call::Number>{1});
    CHECK(quiet.text().find("RTP gap 60 ms, 3 packets lost") != std::string::npos);
    b.board.ledger().gap_is_known(1);
    b.media.is_gap_known = false;
    answer(2); // a stream that may not send
    CHECK(lines == std::vector<call::Number>{1});
    CHECK(run_until([&] { return lines.size() == 2; }));
    CHECK(b.board.ledger().count(call::Verdict::survived) == 2);
}

TEST_CASE("the ledger counts each call once, by its last verdict") {
    Bench b;
    const Quiet quiet;
    auto three = records(3);
    three[2].phase = call::Phase::inviting;
    b.comeback.take_over(three, {});
    b.comeback.restore([&] { b.comeback.go_on([] {}); });
    for (const call::Number n : {1U, 2U}) {
        b.board.on_event(n, event::Ready{});
    }
    b.comeback.refresh({1, 2});
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
    b.comeback.take_over(records(200), {});
    b.comeback.restore({});
    b.agent.said.clear();
    b.board.on_wanted(199);
    b.board.on_wanted(7777); // no such call
    b.board.on_event(1, event::Ready{});
    CHECK(b.agent.taken().starts_with("Restore 199"));
}

TEST_CASE("a long way back says each second how far it has come") {
    Bench b;
    const Quiet quiet;
    b.comeback.take_over(records(120), {});
    b.comeback.restore({});
    CHECK(run_until(
        [&] { return quiet.text().find("70 calls still to be rebuilt") != std::string::npos; }));
}

TEST_CASE("a copied record is left alone, and its number with it") {
    Bench b;
    const Quiet quiet;
    auto two = records(2);
    two[1].call_id = two[0].call_id;
    two[1].cseq_watermark = two[0].cseq_watermark + 1; // knows more
    b.comeback.take_over(two, {});
    CHECK(b.board.find(1) == nullptr);
    CHECK(b.board.find(2) != nullptr);
    CHECK(b.dial() == 3U);
    CHECK(quiet.text().find("call 1 is left alone") != std::string::npos);
}

TEST_CASE("media that cannot be bound again do not keep a call from coming back") {
    Bench b;
    const Quiet quiet;
    b.media.ports_left = false;
    b.comeback.take_over(records(1), {});
    b.comeback.restore({});
    b.board.on_event(1, event::Ready{});
    b.comeback.refresh({1});
    b.board.on_event(1, event::Answered{.cseq = 5002, .answer = call::peer_session()});
    CHECK(b.state(1) == State::established);
}

TEST_CASE("never more than 50 calls are on their way back at once") {
    Bench b;
    const Quiet quiet;
    constexpr std::uint32_t all = 137;
    b.comeback.take_over(records(all), {});
    bool done = false;
    b.comeback.restore([&] { done = true; });
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
    b.comeback.refresh(numbers);
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
    b.comeback.take_over(some, {});
    b.comeback.restore({});
    CHECK(b.agent.taken() == "Restore 3 above 5000, Restore 4 above 5000, Restore 2 above 5000, "
                             "Restore 1 above 5000");
}

TEST_CASE("a retry timer leads to the next re-INVITE, and ends with its call") {
    Bench b;
    const Quiet quiet;
    b.comeback.take_over(records(1), {});
    b.comeback.restore({});
    b.board.on_event(1, event::Ready{});
    b.comeback.refresh({1});
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
