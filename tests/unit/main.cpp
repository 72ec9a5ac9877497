#define DOCTEST_CONFIG_IMPLEMENT
#include <string_view>

#include <doctest/doctest.h>

#include "revenant/base/log.hpp"

int main(int argc, char** argv) {
    doctest::Context context{argc, argv};
    // What the code under test has to say about bad input is no part of the result.
    revenant::base::set_log_sink([](revenant::base::Level, std::string_view) {});
    return context.run();
}
