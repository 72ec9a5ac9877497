#include <cstddef>
#include <set>
#include <string_view>

#include <doctest/doctest.h>

#include "revenant/call/state_traits.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant::call;

TEST_CASE("each state has its row, in the order of the states, under a name of its own") {
    REQUIRE(state_traits.size() == all_states.size());
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < all_states.size(); ++i) {
        CHECK(state_traits.at(i).state == all_states.at(i));
        CHECK(&traits(all_states.at(i)) == &state_traits.at(i));
        CHECK(name(all_states.at(i)) == state_traits.at(i).name);
        names.insert(state_traits.at(i).name);
    }
    CHECK(names.size() == all_states.size());
    CHECK_FALSE(names.contains(""));
}

TEST_CASE("what a row says of a state fits together") {
    for (const StateTraits& row : state_traits) {
        INFO(row.name);
        CHECK((!row.is_up || row.has_dialog));
        CHECK(row.is_inviting + row.is_up + row.is_coming_back <= 1);
        CHECK_FALSE((row.is_back && row.is_coming_back));
        CHECK(row.kind != Kind::on_hold); // which is the call's, not the state's
        CHECK((row.kind == Kind::none) == (row.state == State::over));
    }
}
