// Who is believed to be the peer, and who is not.
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "media/rtp/latch.hpp"

using namespace revenant;
using namespace revenant::media;
using Verdict = Latch::Verdict;

namespace {

constexpr std::int64_t ms = 1'000'000;

Address at(const std::string& host, std::uint16_t port) {
    return Address::parse({.address = host, .port = port}).value();
}

const Address agreed = at("192.0.2.7", 4000);
const Address other_port = at("192.0.2.7", 4001);
const Address nat = at("203.0.113.1", 6000);
const Address thief = at("198.51.100.66", 5000);

struct Stream {
    Latch latch = [] {
        Latch fresh;
        fresh.agree(agreed);
        return fresh;
    }();
    std::int64_t now = 1000 * ms;

    // `count` packets every 20 ms; the verdict on the last.
    Verdict send(const Address& from, std::uint16_t first, int count, std::uint32_t ssrc = 7) {
        Verdict last = Verdict::stranger;
        for (int i = 0; i < count; ++i) {
            now += 20 * ms;
            last = latch.judge(
                from, {.sequence = static_cast<std::uint16_t>(first + i), .ssrc = ssrc}, now);
        }
        return last;
    }
};

} // namespace

TEST_CASE(
    "another port of the agreed host is the peer after two packets, another host after five") {
    Stream a;
    CHECK(a.send(other_port, 10, 1) == Verdict::stranger);
    CHECK(a.send(other_port, 11, 1) == Verdict::moved);
    CHECK(a.send(other_port, 12, 5) == Verdict::peer);
    CHECK(a.latch.target() == other_port);
    Stream b;
    CHECK(b.send(nat, 10, 4) == Verdict::stranger);
    CHECK(b.latch.target() == agreed);
    CHECK(b.send(nat, 14, 1) == Verdict::moved);
    CHECK(b.latch.target() == nat);
}

TEST_CASE("packets that do not follow each other are no stream") {
    Stream s;
    for (std::uint16_t i = 0; i < 100; ++i) {
        CHECK(s.send(nat, static_cast<std::uint16_t>(i * 7), 1) == Verdict::stranger);
        CHECK(s.send(nat, static_cast<std::uint16_t>(i * 7 + 1), 1, i) == Verdict::stranger);
    }
}

TEST_CASE("who sends in between keeps nobody from becoming the peer") {
    Stream s;
    for (std::uint16_t i = 0; i < 5; ++i) {
        CHECK(s.send(thief, static_cast<std::uint16_t>(i * 100), 1, i) == Verdict::stranger);
        static_cast<void>(s.send(nat, static_cast<std::uint16_t>(10 + i), 1));
    }
    CHECK(s.latch.target() == nat);
}

TEST_CASE("the agreed address ends the exception, and nobody gets into its stream") {
    Stream s;
    CHECK(s.send(nat, 10, 5) == Verdict::moved);
    CHECK(s.send(agreed, 500, 1, 99) == Verdict::returned);
    CHECK(s.latch.target() == agreed);
    for (int i = 0; i < 300; ++i) {
        CHECK(s.send(agreed, static_cast<std::uint16_t>(501 + i), 1, 99) == Verdict::peer);
        // Even with the SSRC and the numbers of the stream that runs.
        CHECK(s.send(thief, static_cast<std::uint16_t>(502 + i), 1, 99) == Verdict::stranger);
        CHECK(s.send(other_port, static_cast<std::uint16_t>(502 + i), 1, 99) == Verdict::stranger);
    }
}

TEST_CASE("nobody gets into a stream that runs from elsewhere") {
    Stream s;
    CHECK(s.send(nat, 10, 5) == Verdict::moved);
    for (int i = 0; i < 300; ++i) {
        CHECK(s.send(nat, static_cast<std::uint16_t>(15 + i), 1) == Verdict::peer);
        CHECK(s.send(thief, static_cast<std::uint16_t>(16 + i), 1) == Verdict::stranger);
    }
    CHECK(s.latch.target() == nat);
}

TEST_CASE("after a silence the same stream may go on from elsewhere, another may not") {
    Stream s;
    CHECK(s.send(nat, 10, 5) == Verdict::moved);
    const Address rebound = at("203.0.113.1", 6001);
    const Address moved = at("203.0.113.99", 7000);
    CHECK(s.send(moved, 15, 10) == Verdict::stranger); // too early
    s.now += Latch::silence_ns;
    CHECK(s.send(thief, 40, 100, 8) == Verdict::stranger); // another SSRC
    CHECK(s.send(moved, 9000, 10) == Verdict::stranger);   // numbers from elsewhere
    CHECK(s.send(moved, 60, 5) == Verdict::moved);
    CHECK(s.latch.target() == moved);
    // A new stream after a long silence only from a host that the peer has had.
    s.now += Latch::long_silence_ns;
    CHECK(s.send(thief, 1, 50, 5) == Verdict::stranger);
    CHECK(s.send(rebound, 1, 50, 5) == Verdict::stranger);
    CHECK(s.send(other_port, 1, 2, 5) == Verdict::moved);
}

TEST_CASE("a new description begins anew, and what an earlier process has found goes on") {
    Stream s;
    CHECK(s.send(nat, 10, 5) == Verdict::moved);
    s.latch.agree(at("192.0.2.8", 4000));
    CHECK(s.latch.target() == at("192.0.2.8", 4000));
    s.latch.agree(agreed);
    s.latch.resume(nat, s.now);
    CHECK(s.latch.target() == nat);
    CHECK(s.send(thief, 1, 100) == Verdict::stranger);
    CHECK(s.send(nat, 700, 1) == Verdict::peer);
    CHECK(s.send(agreed, 700, 1) == Verdict::returned);
    s.latch.agree(agreed);
    s.latch.resume(agreed, s.now);
    CHECK(s.send(other_port, 1, 100) == Verdict::stranger);
    CHECK(s.send(agreed, 700, 1) == Verdict::peer);
}
