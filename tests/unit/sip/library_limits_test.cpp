// What a stream of a stranger can take of the library, and that other threads are left alone.
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include <doctest/doctest.h>

#include "revenant/base/fd.hpp"
#include "sip/sofia/library_limits.hpp"
#include "sip/sofia/nua.hpp"

using namespace revenant;
namespace accepted_connections = sip::accepted_connections;

namespace {

struct Pair {
    base::Fd ours;
    base::Fd theirs;

    Pair() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        ours = base::Fd{ends[0]};
        theirs = base::Fd{ends[1]};
    }

    [[nodiscard]] bool is_ended() const {
        char byte = 0;
        return ::recv(ours.get(), &byte, 1, MSG_DONTWAIT) == 0;
    }
};

// Until the kernel takes no more.
void say_much(const Pair& pair) {
    const std::vector<char> answer(4096);
    while (::send(pair.ours.get(), answer.data(), answer.size(), MSG_DONTWAIT) > 0) {
    }
}

} // namespace

TEST_CASE("of a stream no more is read at a time than a few messages") {
    const Pair pair;
    const std::vector<char> much(50'000, 'x');
    REQUIRE(::send(pair.theirs.get(), much.data(), much.size(), 0) > 0);
    CHECK(su_getmsgsize(pair.ours.get()) == 2048);
}

TEST_CASE("who asks on and reads no answers is not heard until it does, and then not at all") {
    const Pair pair;
    accepted_connections::accepted(pair.ours.get());
    REQUIRE(::send(pair.theirs.get(), "OPTIONS", 7, 0) == 7);
    CHECK(su_getmsgsize(pair.ours.get()) == 7);
    say_much(pair);
    errno = 0;
    CHECK(su_getmsgsize(pair.ours.get()) == -1);
    CHECK(errno == EAGAIN);
    std::vector<char> read(1 << 20);
    while (::recv(pair.theirs.get(), read.data(), read.size(), MSG_DONTWAIT) > 0) {
    }
    CHECK(su_getmsgsize(pair.ours.get()) == 7);
    accepted_connections::closed(pair.ours.get());
}

TEST_CASE("one connection too many ends one over which nothing was said, else the most silent") {
    std::vector<Pair> all(accepted_connections::accepted_max + 2);
    for (std::size_t i = 0; i < accepted_connections::accepted_max; ++i) {
        accepted_connections::accepted(all[i].ours.get());
        if (i != 5) {
            accepted_connections::said_something(all[i].ours.get());
        }
    }
    accepted_connections::accepted(all[accepted_connections::accepted_max].ours.get());
    accepted_connections::said_something(all[accepted_connections::accepted_max].ours.get());
    CHECK(all[5].is_ended());
    CHECK_FALSE(all[0].is_ended());
    REQUIRE(::send(all[0].theirs.get(), "x", 1, 0) == 1);
    CHECK(su_getmsgsize(all[0].ours.get()) == 1); // heard of last
    accepted_connections::accepted(all.back().ours.get());
    CHECK(all[1].is_ended());
    for (const Pair& pair : all) {
        accepted_connections::closed(pair.ours.get());
    }
}

TEST_CASE("no connection is accepted while one that has to make room is still open") {
    const std::vector<Pair> all(accepted_connections::accepted_max + 1);
    for (const Pair& pair : all) {
        CHECK(accepted_connections::may_accept());
        accepted_connections::accepted(pair.ours.get());
    }
    CHECK(all[0].is_ended());
    CHECK_FALSE(accepted_connections::may_accept());
    accepted_connections::closed(all[1].ours.get());
    CHECK_FALSE(accepted_connections::may_accept());
    accepted_connections::closed(all[0].ours.get());
    CHECK(accepted_connections::may_accept());
    for (const Pair& pair : all) {
        accepted_connections::closed(pair.ours.get());
    }
}

TEST_CASE("who has to make room and reads no answers gets none any more") {
    const std::vector<Pair> all(accepted_connections::accepted_max + 1);
    say_much(all[0]);
    for (const Pair& pair : all) {
        accepted_connections::accepted(pair.ours.get());
    }
    CHECK(::send(all[0].ours.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1);
    CHECK(errno == EPIPE);
    for (const Pair& pair : all) {
        accepted_connections::closed(pair.ours.get());
    }
}

TEST_CASE("every message of a stream has a bound on its size") {
    const std::unique_ptr<msg_t, sip::Calls<msg_destroy>> first{
        msg_create(sip_default_mclass(), 0)};
    std::array<msg_iovec_t, 8> parts{};
    constexpr std::string_view two = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\nOPTIONS";
    REQUIRE(msg_recv_iovec(first.get(), parts.data(), parts.size(), two.size(), 0) == 1);
    two.copy(static_cast<char*>(parts[0].mv_base), two.size());
    msg_recv_commit(first.get(), two.size(), 0);
    REQUIRE(msg_extract(first.get()) == 1);
    const std::unique_ptr<msg_t, sip::Calls<msg_destroy>> next{msg_next(first.get())};
    REQUIRE(next);
    CHECK(msg_maxsize(next.get(), 0) == sip::message_size_max());
}
