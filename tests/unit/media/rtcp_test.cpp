#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "media/rtp/rtcp.hpp"

using namespace revenant::media;

namespace {

const SenderInfo sender{
    .ntp = 0x1122334455667788, .rtp_timestamp = 99, .packets = 1000, .octets = 160'000};
const ReportBlock block{.ssrc = 42,
                        .fraction_lost = 25,
                        .lost = 7,
                        .highest_sequence = 0x10005,
                        .jitter = 80,
                        .last_sr = 0x33445566,
                        .delay_since_sr = 65536};

std::vector<std::uint8_t> written(const RtcpReport& report) {
    std::vector<std::uint8_t> bytes(rtcp_size_max, 0xaa);
    bytes.resize(write_rtcp(report, bytes));
    return bytes;
}

} // namespace

TEST_CASE("an RTCP compound that is written reads back the same") {
    const auto bytes =
        written({.ssrc = 5, .sender = sender, .block = block, .cname = "me@here", .bye = true});
    CHECK(bytes.size() % 4 == 0);
    const auto news = parse_rtcp(bytes, 42);
    REQUIRE(news);
    CHECK(news->ssrc == 5);
    CHECK(news->sender == sender);
    CHECK(news->about_us == block);
    CHECK(news->bye);
    CHECK_FALSE(parse_rtcp(bytes, 43)->about_us);
}

TEST_CASE("an RTCP report without packets sent is a receiver report with a CNAME") {
    const auto bytes = written({.ssrc = 5, .sender = {}, .block = {}, .cname = "abc"});
    CHECK(bytes[1] == 201);
    CHECK(bytes[8 + 1] == 202);
    CHECK(bytes[8 + 8] == 1);
    CHECK(bytes[8 + 9] == 3);
    CHECK(bytes.size() == 8 + 16); // header, source, two, three, and one to four zeros
    const auto news = parse_rtcp(bytes, 5);
    REQUIRE(news);
    CHECK_FALSE(news->sender);
    CHECK_FALSE(news->bye);
}

TEST_CASE("every length of a CNAME keeps the compound whole") {
    for (std::size_t length = 0; length < 300; ++length) {
        const std::string cname(length, 'x');
        const auto bytes =
            written({.ssrc = 1, .sender = sender, .block = block, .cname = cname, .bye = true});
        REQUIRE(bytes.size() <= rtcp_size_max);
        const auto news = parse_rtcp(bytes, 42);
        REQUIRE(news);
        REQUIRE(news->bye);
    }
}

TEST_CASE("negative losses survive, and 24 bits are not exceeded") {
    auto b = block;
    for (const int lost : {-1, -8'388'608, 8'388'607, 0}) {
        b.lost = lost;
        CHECK(parse_rtcp(written({.ssrc = 1, .block = b, .cname = "c"}), 42)->about_us->lost ==
              lost);
    }
    b.lost = 100'000'000;
    CHECK(parse_rtcp(written({.ssrc = 1, .block = b, .cname = "c"}), 42)->about_us->lost ==
          8'388'607);
}

TEST_CASE("RTCP compounds that break a rule are refused whole") {
    const auto good =
        written({.ssrc = 5, .sender = sender, .block = block, .cname = "me", .bye = true});
    for (std::size_t length = 0; length < good.size(); ++length) {
        const auto cut = parse_rtcp(Bytes{good}.first(length), 42);
        // Whole packets at the front are a compound of their own; anything else is refused.
        CHECK((!cut || length == 52 || length == good.size() - 8));
    }
    auto bad = good;
    bad[0] = 0x40;
    CHECK_FALSE(parse_rtcp(bad, 42)); // version
    bad = good;
    bad[0] |= 0x20U;
    CHECK_FALSE(parse_rtcp(bad, 42)); // padding in the first packet
    bad = good;
    bad[1] = 202;
    CHECK_FALSE(parse_rtcp(bad, 42)); // begins with SDES
    bad = good;
    bad[0] = 0x9f;
    CHECK_FALSE(parse_rtcp(bad, 42)); // more blocks than octets
    bad = good;
    bad[3] = 255;
    CHECK_FALSE(parse_rtcp(bad, 42)); // a length beyond the end
    bad = good;
    bad[52] = 0;
    CHECK_FALSE(parse_rtcp(bad, 42)); // a later packet's version
}

TEST_CASE("the round trip is the time between report and answer without the peer's delay") {
    const std::uint64_t sent = to_ntp(1'700'000'000'000'000'000);
    const std::uint64_t back = to_ntp(1'700'000'000'750'000'000);
    auto b = block;
    b.last_sr = ntp_middle(sent);
    b.delay_since_sr = 65536 / 2;
    const auto trip = round_trip_ms(b, back);
    REQUIRE(trip);
    CHECK(*trip == doctest::Approx(250.0).epsilon(0.001));
    b.last_sr = 0;
    CHECK_FALSE(round_trip_ms(b, back));
    b.last_sr = ntp_middle(sent);
    b.delay_since_sr = 10 * 65536;
    CHECK_FALSE(round_trip_ms(b, back)); // a delay longer than the whole
}

TEST_CASE("NTP time counts from 1900 with a binary fraction") {
    CHECK(to_ntp(0) == std::uint64_t{2'208'988'800} << 32U);
    CHECK((to_ntp(500'000'000) & 0xffffffffU) == 0x80000000U);
}

TEST_CASE("the RTCP interval lies between half and one and a half of five seconds") {
    CHECK(rtcp_interval_ns(0) == 2'500'000'000);
    CHECK(rtcp_interval_ns(0x80000000U) == 5'000'000'000);
    CHECK(rtcp_interval_ns(0xffffffffU) <= 7'500'000'000);
    CHECK(rtcp_interval_ns(0xffffffffU) > 7'400'000'000);
}
