#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/base/descriptors.hpp"
#include "revenant/base/fd.hpp"

namespace revenant::base {

namespace {

// The entries of the kernel's table of this process's open files.
rlim_t table_size() {
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word == "FDSize:") {
            rlim_t size = 0;
            status >> size;
            return size;
        }
        status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return 0;
}

rlimit limits() {
    rlimit found{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &found) == 0);
    return found;
}

} // namespace

TEST_CASE("room for the sockets of thousands of calls is made at once, and nothing stays open") {
    const rlimit before = limits();
    rlimit few = before;
    few.rlim_cur = 64;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const int next = Fd{::dup(STDOUT_FILENO)}.get();

    make_room_for_descriptors();

    CHECK(limits().rlim_cur == before.rlim_max);
    CHECK(table_size() >= std::min<rlim_t>(before.rlim_max, 8'192));
    CHECK(Fd{::dup(STDOUT_FILENO)}.get() == next);
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &before));
}

} // namespace revenant::base
