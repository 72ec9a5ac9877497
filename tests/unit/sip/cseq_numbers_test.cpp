#include <string>

#include <doctest/doctest.h>

#include "sip/sofia/cseq_numbers.hpp"

namespace cseq_numbers = revenant::sip::cseq_numbers;

TEST_CASE("no number is given twice, and none that an earlier life may have used") {
    const std::string key = "a-call a-tag";
    CHECK(cseq_numbers::next(key) == 0);
    CHECK(cseq_numbers::reserve(key) == 0);
    cseq_numbers::begin(key, 2, 2);
    CHECK(cseq_numbers::next(key) == 3);
    CHECK(cseq_numbers::reserve(key) == 3);
    CHECK(cseq_numbers::next(key) == 4);
    cseq_numbers::begin(key, 2, 1003); // the INVITE is said again
    CHECK(cseq_numbers::reserve(key) == 1004);
    CHECK(cseq_numbers::reserve(key) == 1005);
    cseq_numbers::end(key);
    CHECK(cseq_numbers::next(key) == 0);
}
