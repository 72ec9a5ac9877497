#include <cstddef>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "app/own_slate.hpp"
#include "revenant/base/fd.hpp"

using namespace revenant;

namespace {

// The next life's, as the keeper hands it on.
app::OwnSlate after(const app::OwnSlate& life) {
    return app::OwnSlate{base::Fd{::dup(life.fd())}, true};
}

} // namespace

TEST_CASE("the next life finds the line that was being typed, and its cursor") {
    app::OwnSlate first{base::Fd{}, true};
    REQUIRE(first.fd() >= 0);
    CHECK(first.kept_line().text.empty());
    first.keep_line("call sip:bob", 4);
    const app::OwnSlate second = after(first);
    CHECK(second.kept_line().text == "call sip:bob");
    CHECK(second.kept_line().cursor == 4);
    first.keep_line("", 0);
    CHECK(second.kept_line().text.empty());
}

TEST_CASE("a line that is too long is not kept, nor is the one before it") {
    app::OwnSlate slate{base::Fd{}, true};
    slate.keep_line("call", 4);
    slate.keep_line(std::string(keeper::slate_size, 'x'), 0);
    CHECK(slate.kept_line().text.empty());
}

TEST_CASE("what is no line is not taken for one") {
    app::OwnSlate slate{base::Fd{}, true};
    slate.keep_line("a\x1b[2Jb", 0);
    CHECK(slate.kept_line().text.empty());
    slate.keep_line("one\ntwo", 0); // pasted
    CHECK(slate.kept_line().text == "one\ntwo");
    (*slate).line_size = 4'000'000'000;
    CHECK(slate.kept_line().text.empty());
}

TEST_CASE("a page of another layout, or that can shrink, is not used") {
    app::OwnSlate first{base::Fd{}, true};
    first.keep_line("calls", 0);
    (*first).layout = keeper::slate_layout + 1;
    CHECK(after(first).kept_line().text.empty());
    base::Fd loose{::memfd_create("loose", MFD_CLOEXEC)};
    REQUIRE(::ftruncate(loose.get(), static_cast<off_t>(keeper::slate_size)) == 0);
    const int number = loose.get();
    const app::OwnSlate slate{std::move(loose), true};
    CHECK(slate.fd() != number);
}

TEST_CASE("what an earlier life has said of itself does not hold for the next") {
    app::OwnSlate first{base::Fd{}, true};
    (*first).disk_waits = 1;
    (*first).asked_to_end = 15;
    const app::OwnSlate second = after(first);
    CHECK((*second).disk_waits == 0);
    CHECK((*second).asked_to_end == 0);
}

TEST_CASE("without a keeper there is a slate all the same, and nothing to hand over") {
    const app::OwnSlate slate{base::Fd{}, false};
    CHECK(slate.fd() == -1);
    CHECK((*slate).layout == keeper::slate_layout);
}
