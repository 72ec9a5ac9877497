#include <doctest/doctest.h>

#include "sip/interpose/stack_hooks.hpp"
#include "sip/interpose/under_way.hpp"

using namespace revenant;

TEST_CASE("what is under way is gone when it ends, and an inner one gives way to the outer") {
    bool place = false;
    using Nested = sip::UnderWay<bool, sip::Nesting::allowed>;
    {
        const Nested outer{place, true};
        CHECK(place);
        {
            const Nested inner{place, false};
            CHECK_FALSE(place);
        }
        CHECK(place);
    }
    CHECK_FALSE(place);
}

TEST_CASE("nothing is under way at rest") {
    CHECK(sip::hooks.delivery == nullptr);
    CHECK(sip::hooks.response == 0);
    CHECK_FALSE(sip::hooks.asks_at_once);
}
