#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "media/rtp/jitter_buffer.hpp"

using namespace revenant::media;
using Put = JitterBuffer::Put;

namespace {

// Packet k has timestamp start + k * size, every octet is k.
struct Wire {
    JitterBuffer buffer;
    JitterBuffer::Frame frame;
    std::uint32_t start = 0xfffffe00; // wraps soon
    std::uint32_t size = 160;

    Wire() { buffer.keep_payload(true); }

    Put put(std::uint32_t k) {
        return buffer.put(start + k * size,
                          std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(k)));
    }

    // The octets played, 0xff for a gap; empty while nothing plays.
    std::vector<std::uint8_t> play(std::uint32_t samples = 160) {
        buffer.play(samples, frame);
        std::vector<std::uint8_t> out;
        std::uint32_t total = 0;
        for (std::size_t i = 0; i < frame.count; ++i) {
            const auto& piece = frame.pieces[i];
            total += piece.samples;
            if (piece.gap) {
                out.insert(out.end(), piece.samples, 0xff);
            } else {
                CHECK(piece.encoded.size() == piece.samples);
                out.insert(out.end(), piece.encoded.begin(), piece.encoded.end());
            }
        }
        CHECK((frame.count == 0 || total == samples));
        return frame.playing ? out : std::vector<std::uint8_t>{};
    }

    // Plays until something comes out.
    int wait() {
        for (int i = 0; i < 20; ++i) {
            if (!play().empty()) {
                return i;
            }
        }
        return -1;
    }
};

std::vector<std::uint8_t> octets(std::uint8_t value, std::size_t count = 160) {
    return std::vector<std::uint8_t>(count, value);
}

} // namespace

TEST_CASE("packets play in order after the first delay, whatever order they came in") {
    Wire wire;
    CHECK(wire.play().empty());
    CHECK(wire.put(0) == Put::stored);
    CHECK(wire.play().empty()); // two frames of delay
    wire.put(2);
    CHECK(wire.play().empty());
    wire.put(1);
    CHECK(wire.play() == octets(0));
    CHECK(wire.play() == octets(1));
    CHECK(wire.play() == octets(2));
    CHECK_FALSE(wire.frame.concealed);
}

TEST_CASE("a lost packet is a gap of its length and the next plays in its time") {
    Wire wire;
    wire.put(0);
    wire.put(2);
    REQUIRE(wire.wait() == 2);
    CHECK(wire.play() == octets(0xff));
    CHECK(wire.frame.concealed);
    CHECK(wire.play() == octets(2));
    CHECK_FALSE(wire.frame.concealed);
}

TEST_CASE("packets of another length than our frames play without seams") {
    Wire wire;
    SUBCASE("30 ms") {
        wire.size = 240;
    }
    SUBCASE("10 ms") {
        wire.size = 80;
    }
    SUBCASE("odd") {
        wire.size = 101;
    }
    std::vector<std::uint8_t> heard;
    std::uint32_t sent = 0;
    for (std::uint32_t slot = 0; slot < 40; ++slot) {
        while (sent * wire.size < (slot + 1) * 160) {
            CHECK(wire.put(sent++) == Put::stored);
        }
        const auto frame = wire.play();
        CHECK_FALSE(wire.frame.concealed);
        heard.insert(heard.end(), frame.begin(), frame.end());
    }
    REQUIRE(heard.size() > 30 * 160);
    for (std::size_t i = 0; i < heard.size(); ++i) {
        REQUIRE(heard[i] == static_cast<std::uint8_t>(i / wire.size));
    }
}

TEST_CASE("a late packet is dropped and the delay grows so that the next is in time") {
    Wire wire;
    wire.put(0);
    REQUIRE(wire.wait() == 2);
    wire.play(); // 1 is concealed
    wire.play(); // 2 too
    CHECK(wire.put(1) == Put::late);
    CHECK(wire.put(2) == Put::stored);
    CHECK(wire.put(3) == Put::stored);
    std::vector<std::uint8_t> seen;
    for (int i = 0; i < 6; ++i) {
        const auto frame = wire.play();
        if (!frame.empty() && frame[0] != 0xff) {
            seen.push_back(frame[0]);
        }
    }
    CHECK(seen == std::vector<std::uint8_t>{2, 3});
}

TEST_CASE("the delay shrinks again when packets come early for a while") {
    Wire wire;
    std::uint32_t next = 0;
    for (; next < 8; ++next) {
        wire.put(next); // 160 ms at once
    }
    REQUIRE(wire.wait() >= 0);
    const auto depth = [&] {
        const auto frame = wire.play();
        wire.put(next++);
        return frame.empty() ? std::uint32_t{0} : (next - 1) % 256 - frame[0];
    };
    const auto before = depth();
    for (int i = 0; i < 2000; ++i) {
        depth();
    }
    const auto after = depth() % 256;
    CHECK(before >= 5);
    CHECK(after <= 3);
    CHECK(after >= 1);
}

TEST_CASE("a burst after an outage does not leave us seconds behind") {
    Wire wire;
    for (std::uint32_t k = 0; k < 250; ++k) {
        wire.put(k); // five seconds at once
    }
    std::vector<std::uint8_t> frame;
    for (int i = 0; i < 20 && (frame.empty() || frame[0] == 0xff); ++i) {
        frame = wire.play();
    }
    REQUIRE_FALSE(frame.empty());
    CHECK(frame[0] >= 250 - 10);
}

TEST_CASE("timestamps that jump back are followed after a few packets") {
    Wire wire;
    for (std::uint32_t k = 100; k < 110; ++k) {
        wire.put(k);
        wire.play();
    }
    int late = 0;
    for (std::uint32_t k = 0; k < 20; ++k) {
        late += wire.put(k) == Put::late ? 1 : 0;
        wire.play();
    }
    CHECK(late < 10);
    const auto frame = wire.play();
    REQUIRE_FALSE(frame.empty());
    CHECK(frame[0] >= 15);
}

TEST_CASE("a long silence ends the stream and the next packet begins it anew") {
    Wire wire;
    wire.put(0);
    REQUIRE(wire.wait() == 2);
    int concealed = 0;
    for (int i = 0; i < 200; ++i) {
        concealed += wire.play().empty() ? 0 : 1;
    }
    CHECK(concealed >= 40);
    CHECK(concealed <= 51);
    CHECK(wire.put(7) == Put::stored); // its timestamp has long been passed
    CHECK(wire.wait() == 2);
}

TEST_CASE("without a listener the same counts come out and no payload is kept") {
    Wire wire;
    wire.buffer.keep_payload(false);
    wire.put(0);
    wire.put(2);
    for (int i = 0; i < 3; ++i) {
        wire.buffer.play(160, wire.frame);
    }
    CHECK(wire.frame.playing);
    CHECK_FALSE(wire.frame.concealed);
    wire.buffer.play(160, wire.frame);
    CHECK(wire.frame.concealed);
}

TEST_CASE("any packets in any order keep frames whole") {
    Wire wire;
    std::uint32_t x = 12345;
    const auto random = [&] {
        x = x * 1664525 + 1013904223;
        return x >> 8U;
    };
    for (int i = 0; i < 20'000; ++i) {
        wire.size = random() % 641;
        wire.put(random() % 64);
        if (random() % 50 == 0) {
            wire.start = random() * 977;
        }
        wire.play(80 + random() % 5 * 80); // checks the sum of the pieces
    }
    CHECK(wire.buffer.put(0, octets(0, 641)) == Put::oversized);
}
