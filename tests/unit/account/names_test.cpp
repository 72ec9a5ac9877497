#include <string>

#include <doctest/doctest.h>

#include "revenant/account/account.hpp"

using revenant::account::is_name;

TEST_CASE("an account's name can be part of a file's name, and of an option") {
    for (const char* good : {"a", "work", "0", "Work-2.example_org", "a..b"}) {
        CAPTURE(good);
        CHECK(is_name(good));
    }
    for (const char* bad :
         {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "\xC3\xA9", "a:b"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_name(bad));
    }
    CHECK(is_name(std::string(64, 'a')));
    CHECK_FALSE(is_name(std::string(65, 'a')));
    CHECK_FALSE(is_name(std::string("a\0b", 3)));
}
