#include <doctest/doctest.h>

#include "media/rtp/reception.hpp"

using namespace revenant::media;
using Verdict = Reception::Verdict;

namespace {

// Packets 20 ms apart that arrive at once.
Verdict receive(Reception& reception, std::uint16_t sequence, std::uint32_t ssrc = 1) {
    return reception.receive(ssrc, sequence, sequence * 160U, sequence * 160U);
}

} // namespace

TEST_CASE("losses, reorderings and duplicates are told apart over a wrap of the sequence number") {
    Reception reception;
    CHECK(receive(reception, 65'533) == Verdict::restarted);
    CHECK(receive(reception, 65'534) == Verdict::next);
    CHECK(receive(reception, 1) == Verdict::next); // 65535 and 0 are missing
    CHECK(reception.lost() == 2);
    CHECK(receive(reception, 65'535) == Verdict::reordered);
    CHECK(receive(reception, 65'535) == Verdict::duplicate);
    CHECK(receive(reception, 1) == Verdict::duplicate);
    CHECK(reception.lost() == 1);
    CHECK(reception.highest() == 0x10001);
}

TEST_CASE("a far jump is believed when a second packet confirms it") {
    Reception reception;
    receive(reception, 100);
    CHECK(receive(reception, 20'000) == Verdict::suspicious);
    CHECK(receive(reception, 101) == Verdict::next);
    CHECK(receive(reception, 20'000) == Verdict::suspicious);
    CHECK(receive(reception, 20'001) == Verdict::restarted);
    CHECK(receive(reception, 20'002) == Verdict::next);
    CHECK(reception.lost() == 0);
}

TEST_CASE("another SSRC begins anew and what was lost before stays lost") {
    Reception reception;
    receive(reception, 1);
    receive(reception, 5);
    CHECK(reception.lost() == 3);
    CHECK(receive(reception, 900, 2) == Verdict::restarted);
    CHECK(reception.ssrc() == 2);
    receive(reception, 902, 2);
    CHECK(reception.lost() == 4);
}

TEST_CASE("a gap below three thousand packets is loss, as after our own restart") {
    Reception reception;
    receive(reception, 0);
    CHECK(receive(reception, 2999) == Verdict::next);
    CHECK(reception.lost() == 2998);
}

TEST_CASE("the fraction lost is of the time since the last report") {
    Reception reception;
    CHECK_FALSE(reception.report());
    for (std::uint16_t i = 0; i < 100; ++i) {
        if (i % 4 != 1) {
            receive(reception, i);
        }
    }
    auto block = reception.report();
    REQUIRE(block);
    CHECK(block->lost == 25);
    CHECK(block->fraction_lost == 64);
    CHECK(block->highest_sequence == 99);
    for (std::uint16_t i = 100; i < 200; ++i) {
        receive(reception, i);
    }
    block = reception.report();
    CHECK(block->lost == 25);
    CHECK(block->fraction_lost == 0);
}

TEST_CASE("jitter follows RFC 3550 A.8") {
    Reception reception;
    for (std::uint16_t i = 0; i < 500; ++i) {
        const std::uint32_t ts = i * 160U;
        reception.receive(1, i, ts, ts + (i % 2 == 0 ? 0U : 80U)); // 10 ms to and fro
    }
    CHECK(reception.jitter_units() >= 75);
    CHECK(reception.jitter_units() <= 80);
}
