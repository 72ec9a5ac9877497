// Where a stream may go on after a restart, and which connections are held.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include "revenant/base/fd.hpp"
#include "revenant/sip/connections.hpp"
#include "sip/comeback/held_connections.hpp"
#include "sip/comeback/message_beginning.hpp"

using namespace revenant;
using sip::Beginning;
namespace held_connections = sip::held_connections;
using sip::judge;

namespace {

class FakeKeeper : public sip::ConnectionKeeper {
public:
    std::set<std::uint32_t> held;
    std::vector<std::uint32_t> dropped;

    void hold_connection(std::uint32_t id, int /*socket*/) override { held.insert(id); }

    void drop_connection(std::uint32_t id) override {
        held.erase(id);
        dropped.push_back(id);
    }
};

// One for the process, as in the program: the functions in place of libc's know it from then on.
FakeKeeper& keeper() {
    static FakeKeeper one;
    one.held.clear();
    one.dropped.clear();
    sip::keep_connections(one, {});
    return one;
}

base::Fd tcp_socket() {
    return base::Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

} // namespace

TEST_CASE("a connection is held from its first message until it is closed") {
    FakeKeeper& kept = keeper();
    base::Fd one = tcp_socket();
    base::Fd other = tcp_socket();
    CHECK(kept.held.empty());
    held_connections::before_send(one.get());
    held_connections::before_send(one.get());
    held_connections::before_send(other.get());
    REQUIRE(kept.held.size() == 2);
    const std::uint32_t first = *kept.held.begin();
    one.reset();
    CHECK(kept.dropped == std::vector{first});
    static_cast<void>(::shutdown(other.get(), SHUT_RDWR));
    CHECK(kept.held.empty());
    other.reset();
    CHECK(kept.dropped.size() == 2);
}

TEST_CASE("only TCP is held") {
    FakeKeeper& kept = keeper();
    const base::Fd udp{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const base::Fd local{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    held_connections::before_send(udp.get());
    held_connections::before_send(local.get());
    held_connections::before_send(-1);
    CHECK(kept.held.empty());
}

TEST_CASE("a connection in which a message was sent in part is let go of for good") {
    FakeKeeper& kept = keeper();
    base::Fd one = tcp_socket();
    held_connections::before_send(one.get());
    held_connections::after_send(one.get(), 400, 400);
    held_connections::after_send(one.get(), -1, 400); // nothing went out
    CHECK(kept.held.size() == 1);
    held_connections::before_send(one.get());
    held_connections::after_send(one.get(), 100, 400);
    CHECK(kept.held.empty());
    held_connections::before_send(one.get()); // the rest
    held_connections::after_send(one.get(), 300, 300);
    CHECK(kept.held.empty());
    one.reset();
    CHECK(kept.dropped.size() == 1);
}

TEST_CASE("no more are held than there is room for") {
    FakeKeeper& kept = keeper();
    std::vector<base::Fd> sockets;
    for (std::size_t i = 0; i < held_connections::held_max + 5; ++i) {
        sockets.push_back(tcp_socket());
        held_connections::before_send(sockets.back().get());
    }
    CHECK(kept.held.size() == held_connections::held_max);
    sockets.front().reset();
    held_connections::before_send(sockets.back().get());
    CHECK(kept.held.size() == held_connections::held_max);
    sockets.clear();
    CHECK(kept.held.empty());
    CHECK(kept.dropped.size() == held_connections::held_max + 1);
}

TEST_CASE("of what an earlier process left, no more are taken over than there is room for") {
    FakeKeeper& kept = keeper();
    std::vector<sip::KeptConnection> earlier;
    for (std::uint32_t id = 1000; id < 1000 + held_connections::held_max + 2; ++id) {
        earlier.push_back({.id = id, .socket = tcp_socket()});
    }
    sip::keep_connections(kept, std::move(earlier));
    CHECK(kept.dropped == std::vector<std::uint32_t>{1064, 1065});
    held_connections::give_back(); // none is connected
    CHECK(kept.dropped.size() == 66);
    base::Fd one = tcp_socket();
    held_connections::before_send(one.get());
    CHECK(kept.held == std::set<std::uint32_t>{1066}); // no id is used twice
}

TEST_CASE("a message begins with a request line or a status line") {
    for (const std::string_view text :
         {"BYE sip:alice@192.0.2.1 SIP/2.0\r\nVia: ", "SIP/2.0 200 OK\r\n", "INFO sips:a SIP/2.0",
          "OPTIONS tel:+123 SIP/2.0\r\n", "\r\n\r\nACK sip:a SIP/2.0\r\n", "X-ODD.M_1 sip:a"}) {
        CAPTURE(text);
        CHECK(judge(text) == Beginning::of_message);
    }
}

TEST_CASE("the first bytes of a message are enough") {
    for (const std::string_view text : {"S", "SIP/2.0", "B", "BYE", "BYE ", "BYE s", "BYE sip"}) {
        CAPTURE(text);
        CHECK(judge(text) == Beginning::of_message);
    }
}

TEST_CASE("nothing else is taken for a message") {
    for (const std::string_view text :
         {"Via: SIP/2.0/TCP 192.0.2.1\r\n", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
          "ice@192.0.2.1 SIP/2.0\r\n", " sip:a SIP/2.0", "BYE http://a", "BYE  sip:a",
          "SIP/1.0 200", "bye sip:a SIP/2.0", ": 0\r\n\r\nBYE sip:a SIP/2.0", "\r\nv=0",
          "ABCDEFGHIJKLMNOPQRSTU sip:a SIP/2.0", "\xff\xfe", "CSeq: 1 BYE\r\n"}) {
        CAPTURE(text);
        CHECK(judge(text) == Beginning::of_nothing_known);
    }
    CHECK(judge(std::string_view{"\0BYE sip:a", 10}) == Beginning::of_nothing_known);
}

TEST_CASE("empty lines say nothing") {
    for (const std::string_view text : {"", "\r\n", "\r\n\r\n", "\n"}) {
        CHECK(judge(text) == Beginning::unclear);
    }
}
