// What stands in front of libc's functions is called by every thread of the process, and leaves the
// others' sockets alone. Built with the thread sanitizer too (`make thread-test`): what it looks at
// belongs to the library's thread, and is read and written by nobody else.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sofia-sip/nta_stateless.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/sofia/library_thread.hpp"
#include "sip/sofia/nua.hpp"

using namespace revenant;

namespace {

constexpr int rounds = 100;

std::string question(std::string_view transport, std::uint16_t port, int number) {
    return fmt::format(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{0} "
        "127.0.0.1:{1};branch=z9hG4bK{0}{2};rport"
        "\r\nFrom: <sip:b@127.0.0.1>;tag=b\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {0}{2}\r\nCSeq: 1 "
        "OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        transport, port, number);
}

base::SocketAddress bound(int fd) {
    const auto any = base::SocketAddress::loopback(AF_INET);
    static_cast<void>(::bind(fd, any.data(), any.size())); // no CHECK, which orders the threads
    return *base::SocketAddress::of(fd);
}

// Whether an answer is there in time.
bool is_answered(int fd) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, 10'000) <= 0) {
        return false;
    }
    std::array<char, 4096> text{};
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return ::recvmsg(fd, &message, 0) > 0 &&
           std::string_view{text.data(), text.size()}.starts_with("SIP/2.0 200");
}

// By `send`, `sendto` and `sendmsg` in turn.
bool send_somehow(int fd, std::string text, int which) {
    const auto size = static_cast<ssize_t>(text.size());
    if (which % 3 == 0) {
        return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == size;
    }
    if (which % 3 == 1) {
        return ::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, nullptr, 0) == size;
    }
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return ::sendmsg(fd, &message, MSG_NOSIGNAL) == size;
}

// A listener and a connection of this thread's own, and both closed.
bool connects_to_itself() {
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const base::SocketAddress here = bound(listener.get());
    const base::Fd one{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::listen(listener.get(), 1) != 0 || ::connect(one.get(), here.data(), here.size()) != 0) {
        return false;
    }
    const base::Fd other{::accept(listener.get(), nullptr, nullptr)};
    std::array<char, 8> text{};
    const bool is_heard = send_somehow(one.get(), "SIP/2.0 ", 2) &&
                          ::recv(other.get(), text.data(), text.size(), MSG_WAITALL) == 8;
    static_cast<void>(::shutdown(other.get(), SHUT_RDWR));
    return is_heard;
}

// How many answers a thread with sockets of its own gets from the agent.
int ask(const base::SocketAddress& agent) {
    const base::Fd udp{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const base::Fd tcp{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const std::uint16_t port = bound(udp.get()).port();
    if (::connect(udp.get(), agent.data(), agent.size()) != 0 ||
        ::connect(tcp.get(), agent.data(), agent.size()) != 0) {
        return 0;
    }
    int answers = 0;
    const auto gets_answer = [&](int fd, std::string_view transport) {
        return send_somehow(fd, question(transport, port, answers), answers) && is_answered(fd);
    };
    while (answers < rounds && gets_answer(udp.get(), "UDP") && gets_answer(tcp.get(), "TCP") &&
           connects_to_itself()) {
        ++answers;
    }
    return answers;
}

int on_request(nta_agent_magic_t* /*magic*/, nta_agent_t* agent, msg_t* message, sip_t* /*sip*/) {
    nta_msg_treply(agent, message, SIP_200_OK, TAG_END());
    return 0;
}

} // namespace

TEST_CASE("other threads send and receive beside the library, each over its own sockets") {
    sip::claim_library_thread();
    su_init();
    const sip::Root root{su_root_create(nullptr)};
    su_root_threading(root.get(), 0);
    const sip::held_sockets::Watch watch; // what is bound is noted
    const base::SocketAddress here =
        bound(base::Fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}.get());
    const std::string url = fmt::format("sip:127.0.0.1:{}", here.port());
    nta_agent_t* const agent =
        nta_agent_create(root.get(), reinterpret_cast<const url_string_t*>(url.c_str()), on_request,
                         nullptr, TAG_END());
    REQUIRE(agent != nullptr);
    std::atomic<int> answers{-1};
    std::thread other{[&] { answers = ask(here); }};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (answers < 0 && std::chrono::steady_clock::now() < end) {
        su_root_step(root.get(), 10);
        REQUIRE(connects_to_itself());
    }
    other.join();
    CHECK(answers == rounds);
    nta_agent_destroy(agent);
}
