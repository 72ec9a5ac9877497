#include <string>

#include <doctest/doctest.h>

#include "sip/sofia/cseq_numbers.hpp"

using revenant::sip::Numbers;

TEST_CASE("no number is given twice, and none that an earlier life may have used") {
    const std::string key = "a-call a-tag";
    CHECK(Numbers::next(key) == 0);
    CHECK(Numbers::reserve(key) == 0);
    Numbers::begin(key, 2, 2);
    CHECK(Numbers::next(key) == 3);
    CHECK(Numbers::reserve(key) == 3);
    CHECK(Numbers::next(key) == 4);
    Numbers::begin(key, 2, 1003); // the INVITE is said again
    CHECK(Numbers::reserve(key) == 1004);
    CHECK(Numbers::reserve(key) == 1005);
    Numbers::end(key);
    CHECK(Numbers::next(key) == 0);
}
