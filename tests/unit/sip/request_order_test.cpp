#include <doctest/doctest.h>

#include "sip/sofia/request_order.hpp"

using revenant::sip::RequestOrder;

TEST_CASE("an offer waits until every request before it is answered") {
    RequestOrder order;
    CHECK(order.may_offer());
    order.sent();
    order.sent();
    CHECK_FALSE(order.may_offer());
    CHECK_FALSE(order.answered());
    CHECK(order.answered());
    CHECK(order.may_offer());
}

TEST_CASE("an answer that no offer waits for asks for none") {
    RequestOrder order;
    CHECK_FALSE(order.answered());
    order.sent();
    CHECK_FALSE(order.answered());

    order.sent();
    CHECK_FALSE(order.may_offer());
    order.forget_offer();
    CHECK_FALSE(order.answered());
}

TEST_CASE("one BYE is the first") {
    RequestOrder order;
    CHECK(order.is_first_bye());
    CHECK_FALSE(order.is_first_bye());
}
