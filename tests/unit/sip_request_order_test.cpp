#include <doctest/doctest.h>

#include "sip/request_order.hpp"

using revenant::sip::RequestOrder;

TEST_CASE("an offer waits until every request before it is answered") {
    RequestOrder order;
    CHECK(order.may_offer());
    order.sent();
    order.sent();
    CHECK_FALSE(order.may_offer());
    CHECK_FALSE(order.answered(200, false));
    CHECK(order.answered(408, false));
    CHECK(order.may_offer());
}

TEST_CASE("an answer that no offer waits for asks for none") {
    RequestOrder order;
    CHECK_FALSE(order.answered(200, false));
    order.sent();
    CHECK_FALSE(order.answered(200, false));

    order.sent();
    CHECK_FALSE(order.may_offer());
    order.forget_offer();
    CHECK_FALSE(order.answered(200, false));
}

TEST_CASE("a challenge is no answer while there are credentials, the second one is") {
    RequestOrder order;
    order.sent();
    CHECK_FALSE(order.may_offer());
    CHECK_FALSE(order.answered(401, true));
    CHECK(order.answered(401, true));

    order.sent();
    CHECK_FALSE(order.may_offer());
    CHECK(order.answered(407, false));
}

TEST_CASE("one BYE is the first") {
    RequestOrder order;
    CHECK(order.is_first_bye());
    CHECK_FALSE(order.is_first_bye());
}
