// The stand-in: it plays the peer from the record, and nobody else.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/comeback/stand_in.hpp"
#include "sip/sofia/library_thread.hpp"
#include "unit/fakes/main_loop.hpp"
#include "unit/fakes/sample_dialogs.hpp"

using namespace revenant;

namespace {

class Client {
public:
    explicit Client(const std::string& url) : socket_{::socket(AF_INET, SOCK_DGRAM, 0)} {
        const std::string_view prefix = "sip:127.0.0.1:";
        REQUIRE(url.starts_with(prefix));
        REQUIRE(url.ends_with(";transport=udp"));
        const auto port = base::to_port(
            std::string_view{url}.substr(prefix.size(), url.find(';') - prefix.size()));
        REQUIRE(port);
        to_.sin_family = AF_INET;
        to_.sin_port = htons(*port);
        to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto any = base::SocketAddress::loopback(AF_INET);
        REQUIRE(::bind(socket_.get(), any.data(), any.size()) == 0);
    }

    // As the stack does.
    void send(std::string text) const {
        iovec part{.iov_base = text.data(), .iov_len = text.size()};
        sockaddr_in to = to_;
        msghdr message{};
        message.msg_name = &to;
        message.msg_namelen = sizeof to;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        CHECK(::sendmsg(socket_.get(), &message, 0) == static_cast<ssize_t>(text.size()));
    }

    // As anybody else would.
    void send_from_outside(const std::string& text) const {
        CHECK(::sendto(socket_.get(), text.data(), text.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to_),
                       sizeof to_) == static_cast<ssize_t>(text.size()));
    }

    // The next answer, empty if none comes within `deadline_ms`.
    [[nodiscard]] std::string answer(std::int64_t deadline_ms = 3000) const {
        std::array<char, 65536> buffer{};
        ssize_t got = -1;
        static_cast<void>(run_until(
            [&] {
                got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
                return got > 0;
            },
            deadline_ms));
        return got > 0 ? std::string{buffer.data(), static_cast<std::size_t>(got)} : std::string{};
    }

    [[nodiscard]] std::string ask(const std::string& text) const {
        send(text);
        return answer();
    }

private:
    base::Fd socket_;
    sockaddr_in to_{};
};

struct Bench {
    call::Dialog dialog = journal::sample_caller();
    std::unique_ptr<sip::StandIn> stand_in;
    std::optional<Client> client;

    Bench() {
        sip::claim_library_thread(); // what is sent elsewhere goes out
        auto opened = sip::StandIn::open(AF_INET, "stand-in-secret",
                                         [this](std::string_view id, std::string_view /*tag*/) {
                                             return id == dialog.call_id ? &dialog : nullptr;
                                         });
        REQUIRE(opened);
        stand_in = std::move(*opened);
        client.emplace(stand_in->url());
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() = default;

    [[nodiscard]] std::string request(std::string_view method,
                                      std::string_view call_id = {}) const {
        return fmt::format("{} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
                           "Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK0\r\nMax-Forwards: 70\r\n"
                           "From: {};tag={}\r\nTo: {};tag={}\r\nCall-ID: {}\r\nCSeq: 5001 {}\r\n"
                           "Content-Length: 0\r\n\r\n",
                           method, dialog.remote_target, dialog.local_uri, dialog.local_tag,
                           dialog.remote_uri, dialog.remote_tag,
                           call_id.empty() ? dialog.call_id : std::string{call_id}, method);
    }
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("an INVITE is answered as the peer would have") {
    Bench bench;
    const std::string answer = bench.client->ask(bench.request("INVITE"));
    CHECK(answer.starts_with("SIP/2.0 200 OK\r\n"));
    CHECK(contains(answer, "Contact: <sip:bob@198.51.100.7:5062;ob>\r\n"));
    CHECK(contains(answer, "Server: stand-in-secret\r\n"));
    CHECK(contains(answer, ";tag=as58f4201b\r\n"));
    CHECK(contains(answer, "CSeq: 5001 INVITE\r\n"));
    CHECK(contains(answer, "Allow: " + bench.dialog.peer_allow + "\r\n"));
    CHECK(contains(answer, "Supported: " + bench.dialog.peer_supported + "\r\n"));
    CHECK(answer.ends_with("\r\n\r\n" + bench.dialog.remote_sdp));
    CHECK(contains(answer, fmt::format("Content-Length: {}\r\n", bench.dialog.remote_sdp.size())));
}

TEST_CASE("another program is not answered, whatever it knows of the call") {
    Bench bench;
    bench.client->send_from_outside(bench.request("INVITE"));
    CHECK(bench.client->answer(100).empty());
    CHECK(bench.client->ask(bench.request("INVITE")).starts_with("SIP/2.0 200 OK\r\n"));
}

TEST_CASE("the route set goes back as Record-Route in reverse") {
    Bench bench;
    const std::string answer = bench.client->ask(bench.request("INVITE"));
    CHECK(contains(answer, "Record-Route: <sip:p2.example.org:5070;lr;transport=udp>\r\n"
                           "Record-Route: <sip:p1.example.org;lr>\r\n"));
}

TEST_CASE("every Via goes back, in its order") {
    Bench bench;
    const std::string answer = bench.client->ask(bench.request("INVITE"));
    const std::size_t first = answer.find("branch=z9hG4bK1");
    const std::size_t second = answer.find("branch=z9hG4bK0");
    CHECK(first != std::string::npos);
    CHECK(second != std::string::npos);
    CHECK(first < second);
}

TEST_CASE("who refreshes is said from the view of our INVITE") {
    Bench bench;
    CHECK(contains(bench.client->ask(bench.request("INVITE")),
                   "Session-Expires: 1800;refresher=uac\r\n"));
    bench.dialog.timer.refresher = call::Refresher::remote;
    CHECK(contains(bench.client->ask(bench.request("INVITE")),
                   "Session-Expires: 1800;refresher=uas\r\n"));
    bench.dialog.timer.refresher = call::Refresher::none;
    CHECK_FALSE(contains(bench.client->ask(bench.request("INVITE")), "Session-Expires"));
    bench.dialog.timer = {};
    CHECK_FALSE(contains(bench.client->ask(bench.request("INVITE")), "Session-Expires"));
}

TEST_CASE("BYE and other requests get a 200, ACK gets nothing") {
    Bench bench;
    for (const char* method : {"BYE", "INFO", "OPTIONS", "UPDATE"}) {
        const std::string answer = bench.client->ask(bench.request(method));
        CHECK(answer.starts_with("SIP/2.0 200 OK\r\n"));
        CHECK(answer.ends_with("Content-Length: 0\r\n\r\n"));
    }
    bench.client->send(bench.request("ACK"));
    CHECK(bench.client->answer(50).empty());
}

TEST_CASE("our tag is found behind the address, not in it") {
    Bench bench;
    for (const char* from :
         {"<sip:a;tag=no@b>;tag=yes", "\"x;tag=no\" <sip:a@b>;tag=yes;p=1", "sip:a@b;tag=yes"}) {
        std::string tag;
        auto opened =
            sip::StandIn::open(AF_INET, "name", [&](std::string_view, std::string_view t) {
                tag = t;
                return &bench.dialog;
            });
        REQUIRE(opened);
        const Client client{(*opened)->url()};
        static_cast<void>(client.ask(
            fmt::format("BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: {}\r\nTo: <sip:b>\r\n"
                        "Call-ID: 1\r\nCSeq: 1 BYE\r\n\r\n",
                        from)));
        CHECK(tag == "yes");
    }
}

TEST_CASE("a call that is not ours gets 481") {
    Bench bench;
    for (const char* method : {"INVITE", "BYE"}) {
        const std::string answer = bench.client->ask(bench.request(method, "other@call"));
        CHECK(answer.starts_with("SIP/2.0 481 "));
        CHECK(contains(answer, "Call-ID: other@call\r\n"));
    }
}

TEST_CASE("garbage is ignored, and what follows is answered") {
    Bench bench;
    const std::string whole = bench.request("INVITE");
    bench.client->send("");
    bench.client->send("x");
    bench.client->send(std::string(60'000, '\xFF'));
    bench.client->send("SIP/2.0 200 OK\r\n\r\n");
    bench.client->send("INVITE sip:a SIP/2.0\r\n\r\n");
    bench.client->send(std::string(4, '\0'));
    bench.client->send(whole.substr(0, 60));
    bench.client->send("SIP/2.0 200 OK" + whole.substr(whole.find("\r\n")));
    CHECK(bench.client->answer(50).empty());
    CHECK(bench.client->ask(whole).starts_with("SIP/2.0 200 OK\r\n"));
}

TEST_CASE("many requests at once are all answered") {
    Bench bench;
    const std::string request = bench.request("INVITE");
    for (int i = 0; i < 50; ++i) {
        bench.client->send(request);
    }
    int answers = 0;
    while (answers < 50 && !bench.client->answer().empty()) {
        ++answers;
    }
    CHECK(answers == 50);
}

TEST_CASE("there is a stand-in for IPv6 too") {
    const auto opened = sip::StandIn::open(
        AF_INET6, "name",
        [](std::string_view, std::string_view) -> const call::Dialog* { return nullptr; });
    if (opened) { // a machine without IPv6 has no calls over it
        CHECK((*opened)->url().starts_with("sip:[::1]:"));
    } else {
        CHECK(opened.error().code == base::Errc::io);
    }
}
