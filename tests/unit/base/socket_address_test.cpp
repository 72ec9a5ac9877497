#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include "revenant/base/socket_address.hpp"

using revenant::base::SocketAddress;

TEST_CASE("a numeric host and a port come back as they were") {
    for (const char* host : {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::"}) {
        const auto address = SocketAddress::numeric(host, 5060);
        REQUIRE(address);
        CHECK(address->host() == host);
        CHECK(address->port() == 5060);
    }
    CHECK_FALSE(SocketAddress::numeric("example.org", 5060));
    CHECK_FALSE(SocketAddress::numeric("[::1]", 5060));
    CHECK_FALSE(SocketAddress::numeric("", 5060));
}

TEST_CASE("socket addresses are equal when host and port are") {
    const auto one = SocketAddress::numeric("192.0.2.1", 5060);
    CHECK(one == SocketAddress::numeric("192.0.2.1", 5060));
    CHECK(one != SocketAddress::numeric("192.0.2.1", 5062));
    CHECK(one != SocketAddress::numeric("192.0.2.2", 5060));
    CHECK(one->same_host(*SocketAddress::numeric("192.0.2.1", 5062)));
    CHECK_FALSE(SocketAddress::numeric("0.0.0.0", 1)->same_host(*SocketAddress::numeric("::", 1)));
    CHECK_FALSE(SocketAddress{} == SocketAddress{});
}

TEST_CASE("only the unspecified address is any") {
    CHECK(SocketAddress::numeric("0.0.0.0", 5060)->is_any());
    CHECK(SocketAddress::numeric("::", 5060)->is_any());
    CHECK_FALSE(SocketAddress::loopback(AF_INET).is_any());
    CHECK_FALSE(SocketAddress{}.is_any());
}

TEST_CASE("an address that is too long for a socket address is cut off") {
    struct {
        sockaddr_in6 address{};
        char more[256]{};
    } long_one;

    long_one.address.sin6_family = AF_INET6;
    long_one.address.sin6_port = htons(7);
    const SocketAddress address{reinterpret_cast<const sockaddr*>(&long_one), sizeof long_one};
    CHECK(address.size() == sizeof(sockaddr_storage));
    CHECK(address.port() == 7);
}
