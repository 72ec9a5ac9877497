// The far end in the media tests: a UDP socket on loopback, a folder that goes away, and waiting
// with a deadline.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <glib.h>

#include "media/rtp/rtp.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media::test {

class Folder {
public:
    Folder() {
        char name[] = "/tmp/revenant-media-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    ~Folder() { static_cast<void>(std::system(("rm -rf " + path_).c_str())); }

    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

private:
    std::string path_;
};

struct Heard {
    RtpHeader header;
    std::vector<std::uint8_t> payload;
    base::Now at;
};

class Peer {
public:
    explicit Peer(const char* host = "127.0.0.1")
        : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        REQUIRE(::inet_pton(AF_INET, host, &address.sin_addr) == 1);
        REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        socklen_t size = sizeof address;
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        endpoint_ = {.address = host, .port = ntohs(address.sin_port)};
        const int room = 4 << 20;
        static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
    }

    [[nodiscard]] const call::Endpoint& endpoint() const { return endpoint_; }

    [[nodiscard]] int fd() const { return socket_.get(); }

    // Raw bytes, or nothing by the deadline.
    [[nodiscard]] std::optional<std::vector<std::uint8_t>>
    receive_bytes(int timeout_ms = 2000) const {
        pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wait, 1, timeout_ms) <= 0) {
            return std::nullopt;
        }
        std::vector<std::uint8_t> bytes(2048);
        const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        REQUIRE(size >= 0);
        bytes.resize(static_cast<std::size_t>(size));
        return bytes;
    }

    [[nodiscard]] std::optional<Heard> receive(int timeout_ms = 2000) const {
        const auto bytes = receive_bytes(timeout_ms);
        if (!bytes) {
            return std::nullopt;
        }
        const auto packet = parse_rtp(*bytes);
        REQUIRE(packet);
        return Heard{.header = packet->header,
                     .payload = {packet->payload.begin(), packet->payload.end()},
                     .at = base::read_clock()};
    }

    // Everything that waits already.
    std::vector<Heard> drain() const {
        std::vector<Heard> all;
        while (auto heard = receive(0)) {
            all.push_back(std::move(*heard));
        }
        return all;
    }

    void send(const call::Endpoint& to, const std::vector<std::uint8_t>& bytes) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(to.port);
        REQUIRE(::inet_pton(AF_INET, to.address.c_str(), &address.sin_addr) == 1);
        REQUIRE(::sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                         reinterpret_cast<sockaddr*>(&address),
                         sizeof address) == static_cast<ssize_t>(bytes.size()));
    }

    // A packet of 20 ms of the given octet.
    void send_rtp(const call::Endpoint& to,
                  std::uint16_t sequence,
                  std::uint8_t octet = 0xff,
                  std::uint32_t ssrc = 77,
                  std::uint8_t payload_type = 0) const {
        std::vector<std::uint8_t> bytes(rtp_header_size + 160, octet);
        write_rtp_header({.payload_type = payload_type,
                          .sequence = sequence,
                          .timestamp = 1000 + std::uint32_t{sequence} * 160,
                          .ssrc = ssrc},
                         bytes);
        send(to, bytes);
    }

private:
    base::Fd socket_;
    call::Endpoint endpoint_;
};

// Runs the main loop until `done` or the deadline; says whether it is done.
inline bool eventually(const std::function<bool()>& done, int timeout_ms = 3000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{timeout_ms};
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        if (g_main_context_iteration(nullptr, FALSE) == FALSE) {
            ::usleep(500);
        }
    }
    return true;
}

inline std::unique_ptr<Engine> make_engine(const Folder& folder, std::uint16_t port_min = 21000) {
    auto engine =
        Engine::create({.page_path = folder / "page", .port_min = port_min, .port_max = 29999});
    REQUIRE_MESSAGE(engine, (engine ? "" : engine.error().context));
    return std::move(*engine);
}

inline call::Media
media_to(const Peer& peer, std::string source = "silence", std::string sink = "null") {
    const auto identity = new_stream();
    call::Media media;
    media.remote = peer.endpoint();
    media.codec = {.payload_type = 0, .name = "PCMU"};
    media.ssrc = identity.ssrc;
    media.segment = identity.segment;
    media.source = std::move(source);
    media.sink = std::move(sink);
    return media;
}

} // namespace revenant::media::test
