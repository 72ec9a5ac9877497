// The Switchboard when nothing can be stored: nobody is told what no record says.
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

} // namespace

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
