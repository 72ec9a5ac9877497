// What rings here: how many may, and for how long.
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

std::size_t count_of_text(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

} // namespace

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
    b.comeback.take_over(some, {});
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
