// What the stack says about something that is not stored yet waits, and what it says next in the
// same call stays behind it; over a stream also in one piece.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/comeback/stream_order.hpp"
#include "sip/sofia/message_parts.hpp"
#include "sip/sofia/outgoing_gate.hpp"
#include "unit/fakes/main_loop.hpp"

using namespace revenant;
namespace gate = sip::outgoing_gate;
namespace stream_order = sip::stream_order;

namespace {

std::string message_of(std::string_view call_id, std::string_view what) {
    return fmt::format("SIP/2.0 200 {}\r\nCall-ID: {}\r\nContent-Length: 0\r\n\r\n", what, call_id);
}

// Two datagram sockets; what is said to the second by the first can be read.
class Wire {
public:
    Wire()
        : from_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)},
          to_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        const auto here = base::SocketAddress::loopback(AF_INET);
        REQUIRE(::bind(to_.get(), here.data(), here.size()) == 0);
        address_ = base::SocketAddress::of(to_.get()).value();
    }

    // Whether the stack's message stays in the gate.
    bool keeps(call::HeldRef held, const std::string& text) { // the stack has one as well
        iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
        msghdr message{};
        message.msg_name = address_.data();
        message.msg_namelen = address_.size();
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return gate::keeps(held, from_.get(), message, text);
    }

    std::vector<std::string> heard() {
        std::vector<std::string> all;
        std::array<char, 2048> bytes{};
        for (ssize_t size = 0; (size = ::recv(to_.get(), bytes.data(), bytes.size(), 0)) > 0;) {
            all.emplace_back(bytes.data(), static_cast<std::size_t>(size));
        }
        return all;
    }

    [[nodiscard]] int fd() const { return from_.get(); }

private:
    base::Fd from_;
    base::Fd to_;
    base::SocketAddress address_ = base::SocketAddress::loopback(AF_INET);
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a message that nobody keeps is not held") {
    Wire wire;
    CHECK_FALSE(wire.keeps(gate::announce(), message_of("a", "CANCEL")));
    CHECK_FALSE(wire.keeps(nullptr, message_of("a", "INVITE")));
    CHECK_FALSE(gate::is_shut());
}

TEST_CASE("a message that somebody keeps waits, and so does what follows in its call") {
    Wire wire;
    call::HeldRef held = gate::announce();
    call::HeldRef kept = held;
    const Texts said{message_of("a", "CANCEL"), message_of("a", "487"), message_of("a", "next")};
    CHECK(wire.keeps(std::move(held), said[0]));
    CHECK(wire.keeps(nullptr, said[1]));
    CHECK(wire.keeps(nullptr, said[1])); // again
    CHECK_FALSE(wire.keeps(nullptr, message_of("b", "another's")));
    CHECK(wire.keeps(gate::announce(), said[2]));
    CHECK(gate::is_shut());
    CHECK(wire.heard().empty());
    kept.reset();
    CHECK(wire.heard() == said);
    CHECK_FALSE(gate::is_shut());
}

TEST_CASE("two that wait in one call leave in the order in which they were said") {
    Wire wire;
    call::HeldRef first = gate::announce();
    call::HeldRef second = gate::announce();
    const Texts said{message_of("a", "1"), message_of("a", "2"), message_of("a", "3")};
    CHECK(wire.keeps(first, said[0]));
    CHECK(wire.keeps(second, said[1]));
    CHECK(wire.keeps(nullptr, said[2]));
    second.reset();
    CHECK(wire.heard().empty());
    first.reset();
    CHECK(wire.heard() == said);
}

TEST_CASE("what waits for a socket that is closed is for nobody, and holds nobody else up") {
    Wire closed;
    Wire wire;
    call::HeldRef held = gate::announce();
    CHECK(closed.keeps(held, message_of("a", "1")));
    CHECK(wire.keeps(nullptr, message_of("a", "2")));
    gate::closed(closed.fd());
    CHECK(closed.heard().empty());
    CHECK(wire.heard() == Texts{message_of("a", "2")});
    CHECK_FALSE(gate::is_shut());
    held.reset(); // which was of the first
    CHECK(closed.heard().empty());
}

namespace {

// A stream with little room, of which the far end reads when it is told to.
class Stream {
public:
    Stream() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) ==
                0);
        near_ = base::Fd{ends[0]};
        far_ = base::Fd{ends[1]};
        const int room = 4096;
        ::setsockopt(near_.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }

    ~Stream() { stream_order::closed(near_.get()); }

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // As the stack does: of what was not taken it gives the rest later.
    void stack_says(const std::string& text) {
        iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (stream_order::keeps(near_.get(), message)) {
            return;
        }
        const ssize_t taken = send(near_.get(), message, MSG_NOSIGNAL);
        stream_order::written(near_.get(), taken, text.size());
        rest_ = text.substr(static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
    }

    void stack_goes_on() { stack_says(std::exchange(rest_, {})); }

    [[nodiscard]] bool has_rest() const { return !rest_.empty(); }

    void write(const std::string& text) { stream_order::write(near_.get(), text, send); }

    [[nodiscard]] bool is_within_message() const {
        return stream_order::is_within_message(near_.get());
    }

    std::string& read() {
        std::array<char, 65536> bytes{};
        ssize_t size = 0;
        while ((size = ::recv(far_.get(), bytes.data(), bytes.size(), 0)) > 0) {
            read_.append(bytes.data(), static_cast<std::size_t>(size));
        }
        is_ended_ = is_ended_ || size == 0;
        return read_;
    }

    [[nodiscard]] bool is_ended() const { return is_ended_; }

private:
    static ssize_t send(int fd, const msghdr& message, int flags) {
        const std::string text = sip::gather(message, sip::size_of(message));
        return ::send(fd, text.data(), text.size(), flags);
    }

    base::Fd near_;
    base::Fd far_;
    std::string rest_;
    std::string read_;
    bool is_ended_ = false;
};

} // namespace

TEST_CASE("what is let go into a stream is written at once where there is room") {
    Stream stream;
    stream.stack_says("one ");
    stream.write("two ");
    stream.stack_says("three");
    CHECK(stream.read() == "one two three");
}

TEST_CASE("what is let go while the stack's message is written in part comes behind its rest") {
    Stream stream;
    const std::string large(40'000, 's');
    stream.stack_says(large);
    REQUIRE(stream.has_rest());
    CHECK(stream.is_within_message());
    stream.write("ours");
    while (stream.has_rest()) {
        stream.read();
        stream.stack_goes_on();
    }
    CHECK_FALSE(stream.is_within_message());
    CHECK(run_until([&] { return stream.read().size() == large.size() + 4; }, 5000));
    CHECK(stream.read() == large + "ours");
    stream.stack_says(" next");
    CHECK(stream.read() == large + "ours next");
}

TEST_CASE("what the stack says while ours is written in part comes behind its rest") {
    Stream stream;
    const std::string large(40'000, 'o');
    stream.write(large);
    stream.stack_says("stack");
    CHECK_FALSE(stream.has_rest());
    stream.write("ours");
    CHECK(run_until([&] { return stream.read().size() == large.size() + 9; }, 5000));
    CHECK(stream.read() == large + "stackours");
}

TEST_CASE("a peer that reads nothing does not make the phone keep what is for it without end") {
    Stream stream;
    for (int i = 0; i < 40; ++i) {
        stream.write(std::string(10'000, 'x'));
    }
    CHECK(stream.read().size() < 160'000);
    CHECK(stream.is_ended());
}
