#include <algorithm>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/sip/library.hpp"
#include "sip/interpose/functions.hpp"
#include "sip/interpose/self_check.hpp"

using namespace revenant;

TEST_CASE("the installed library comes through every function that stands in front of its own") {
    for (const sip::Passed& passed : sip::find_passed()) {
        FAIL_CHECK(std::string{passed.function->slot->name()});
    }
    CHECK(sip::check_library().has_value());
}

TEST_CASE("src/sip/README.md shows the table of what stands in front") {
    std::ifstream file{"src/sip/README.md"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const std::string head =
        "| function | whose | so that | ours | called by |\n|---|---|---|---|---|\n";
    std::string table = head;
    for (const sip::InFront& row : sip::in_front) {
        table += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", row.slot->name(),
                             sip::name_of(row.whose), row.why, row.who, row.callers);
    }
    CHECK(text.substr(std::min(text.find(head), text.size())) == table);
}

TEST_CASE("every function that has a slot is in the table once") {
    for (const sip::InFront& row : sip::in_front) {
        CHECK_MESSAGE(std::ranges::count(sip::in_front, row.slot, &sip::InFront::slot) == 1,
                      std::string{row.slot->name()});
        CHECK(row.slot->is_taken());
    }
}
