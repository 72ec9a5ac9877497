#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "app/kept_configuration.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/shell/options.hpp"

using namespace revenant;
using shell::Configuration;

TEST_CASE("a later life reads the configuration of the first to the byte") {
    for (const Configuration& one :
         {Configuration{}, Configuration{.path = "/c", .text = ""},
          Configuration{.path = "/etc/\nc", .text = std::string{"[phone]\n\0\xff", 10}},
          Configuration{.path = "/c", .text = std::string(65536, '#')}}) {
        const base::Fd fd = app::stored(one);
        REQUIRE(fd);
        CHECK(app::read_stored(fd.get()) == one);
        CHECK(app::read_stored(fd.get()) == one); // each time
        CHECK(::pwrite(fd.get(), "x", 1, 0) < 0);
    }
}

TEST_CASE("what is no stored configuration is not taken for one") {
    CHECK_FALSE(app::read_stored(-1).has_value());
    CHECK_FALSE(app::read_stored(STDIN_FILENO).has_value());
    const base::Fd loose{::memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    REQUIRE(::write(loose.get(), "/c\0", 3) == 3);
    CHECK_FALSE(app::read_stored(loose.get()).has_value()); // somebody could change it
    const base::Fd other{::memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    REQUIRE(::write(other.get(), "/c", 2) == 2);
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    REQUIRE(::fcntl(other.get(), F_ADD_SEALS, seals) == 0);
    CHECK_FALSE(app::read_stored(other.get()).has_value());
}
