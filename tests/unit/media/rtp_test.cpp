#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "media/rtp/rtp.hpp"

using namespace revenant::media;

namespace {

std::vector<std::uint8_t> packet(std::uint8_t first, std::uint8_t second, std::size_t rest) {
    std::vector<std::uint8_t> bytes{first, second, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8};
    bytes.resize(bytes.size() + rest, 0xee);
    return bytes;
}

} // namespace

TEST_CASE("an RTP header that is written reads back the same") {
    const RtpHeader header{.marker = true,
                           .payload_type = 101,
                           .sequence = 65535,
                           .timestamp = 0xfedcba98,
                           .ssrc = 0x01020304};
    std::array<std::uint8_t, rtp_header_size> bytes{};
    write_rtp_header(header, bytes);
    const auto read = parse_rtp(bytes);
    REQUIRE(read);
    CHECK(read->header == header);
    CHECK(read->payload.empty());
}

TEST_CASE(
    "an RTP packet's contributing sources, extension and padding are left out of its payload") {
    CHECK(parse_rtp(packet(0x80, 0, 10))->payload.size() == 10);
    CHECK(parse_rtp(packet(0x82, 0, 18))->payload.size() == 10);
    auto extended = packet(0x90, 0, 4 + 8 + 10);
    extended[14] = 0;
    extended[15] = 2;
    CHECK(parse_rtp(extended)->payload.size() == 10);
    auto padded = packet(0xa0, 0, 10);
    padded.back() = 4;
    CHECK(parse_rtp(padded)->payload.size() == 6);
    padded.back() = 10;
    CHECK(parse_rtp(padded)->payload.empty());
}

TEST_CASE("RTP packets whose lengths lie are refused") {
    CHECK_FALSE(parse_rtp({}));
    CHECK_FALSE(parse_rtp(Bytes{packet(0x80, 0, 0)}.first(11)));
    CHECK_FALSE(parse_rtp(packet(0x40, 0, 10)));
    CHECK_FALSE(parse_rtp(packet(0xc0, 0, 10)));
    CHECK_FALSE(parse_rtp(packet(0x8f, 0, 59))); // fifteen contributing sources need sixty octets
    CHECK(parse_rtp(packet(0x8f, 0, 60)));
    CHECK_FALSE(parse_rtp(packet(0x90, 0, 3)));   // no room for an extension header
    CHECK_FALSE(parse_rtp(packet(0x90, 0, 100))); // an extension of 0xeeee words
    auto padded = packet(0xa0, 0, 10);
    padded.back() = 11;
    CHECK_FALSE(parse_rtp(padded));
    padded.back() = 0;
    CHECK_FALSE(parse_rtp(padded));
    CHECK_FALSE(parse_rtp(packet(0xa0, 0, 0)));
}

TEST_CASE("RTCP on the RTP port is not taken for RTP") {
    for (const std::uint8_t type : std::initializer_list<std::uint8_t>{200, 201, 202, 203, 204}) {
        CHECK_FALSE(parse_rtp(packet(0x80, type, 16)));
    }
}
