#include "media/rtp/rtcp.hpp"

#include <algorithm>

namespace revenant::media {

namespace {

constexpr std::uint8_t type_sr = 200;
constexpr std::uint8_t type_rr = 201;
constexpr std::uint8_t type_sdes = 202;
constexpr std::uint8_t type_bye = 203;
constexpr std::uint8_t sdes_cname = 1;
constexpr std::size_t header_size = 4;
constexpr std::size_t sender_size = 20;
constexpr std::size_t block_size = 24;
constexpr std::int64_t ntp_epoch_s = 2'208'988'800; // 1900 to 1970
constexpr std::int64_t second_ns = 1'000'000'000;

// `length` is the whole packet's, a multiple of four.
void put_header(MutableBytes out, unsigned count, std::uint8_t type, std::size_t length) {
    out[0] = static_cast<std::uint8_t>(0x80U | count);
    out[1] = type;
    put_be16(out, 2, static_cast<std::uint16_t>(length / 4 - 1));
}

void put_sender(const SenderInfo& info, MutableBytes out) {
    put_be32(out, 0, static_cast<std::uint32_t>(info.ntp >> 32U));
    put_be32(out, 4, static_cast<std::uint32_t>(info.ntp));
    put_be32(out, 8, info.rtp_timestamp);
    put_be32(out, 12, info.packets);
    put_be32(out, 16, info.octets);
}

void put_block(const ReportBlock& block, MutableBytes out) {
    const auto lost =
        static_cast<std::uint32_t>(std::clamp(block.lost, -0x800000, 0x7fffff)) & 0xffffffU;
    put_be32(out, 0, block.ssrc);
    put_be32(out, 4, (std::uint32_t{block.fraction_lost} << 24U) | lost);
    put_be32(out, 8, block.highest_sequence);
    put_be32(out, 12, block.jitter);
    put_be32(out, 16, block.last_sr);
    put_be32(out, 20, block.delay_since_sr);
}

SenderInfo sender_at(Bytes b, std::size_t at) {
    return {.ntp = (std::uint64_t{be32(b, at)} << 32U) | be32(b, at + 4),
            .rtp_timestamp = be32(b, at + 8),
            .packets = be32(b, at + 12),
            .octets = be32(b, at + 16)};
}

ReportBlock block_at(Bytes b, std::size_t at) {
    const std::uint32_t word = be32(b, at + 4);
    auto lost = static_cast<std::int32_t>(word & 0xffffffU);
    if (lost > 0x7fffff) {
        lost -= 0x1000000;
    }
    return {.ssrc = be32(b, at),
            .fraction_lost = static_cast<std::uint8_t>(word >> 24U),
            .lost = lost,
            .highest_sequence = be32(b, at + 8),
            .jitter = be32(b, at + 12),
            .last_sr = be32(b, at + 16),
            .delay_since_sr = be32(b, at + 20)};
}

std::size_t put_sdes(std::uint32_t ssrc, std::string_view cname, MutableBytes out) {
    cname = cname.substr(0, 255);
    // The list of items ends with one to four zero octets, up to the next word.
    const std::size_t length = (header_size + 4 + 2 + cname.size() + 4) / 4 * 4;
    std::fill_n(out.begin(), length, std::uint8_t{0});
    put_header(out, 1, type_sdes, length);
    put_be32(out, 4, ssrc);
    out[8] = sdes_cname;
    out[9] = static_cast<std::uint8_t>(cname.size());
    std::copy(cname.begin(), cname.end(), out.begin() + 10);
    return length;
}

// One packet of the compound, whose bounds have been checked.
bool read_report(Bytes packet, std::uint32_t our_ssrc, RtcpNews& news) {
    const bool is_sr = packet[1] == type_sr;
    const std::size_t count = packet[0] & 0x1fU;
    const std::size_t blocks = header_size + 4 + (is_sr ? sender_size : 0);
    if (packet.size() < blocks + count * block_size) {
        return false;
    }
    if (is_sr) {
        news.sender = sender_at(packet, header_size + 4);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto block = block_at(packet, blocks + i * block_size);
        if (block.ssrc == our_ssrc) {
            news.about_us = block;
        }
    }
    return true;
}

} // namespace

std::size_t write_rtcp(const RtcpReport& report, MutableBytes out) {
    const std::size_t blocks = header_size + 4 + (report.sender ? sender_size : 0);
    std::size_t length = blocks + (report.block ? block_size : 0);
    put_header(out, report.block ? 1 : 0, report.sender ? type_sr : type_rr, length);
    put_be32(out, 4, report.ssrc);
    if (report.sender) {
        put_sender(*report.sender, out.subspan(header_size + 4));
    }
    if (report.block) {
        put_block(*report.block, out.subspan(blocks));
    }
    length += put_sdes(report.ssrc, report.cname, out.subspan(length));
    if (report.bye) {
        put_header(out.subspan(length), 1, type_bye, 8);
        put_be32(out, length + 4, report.ssrc);
        length += 8;
    }
    return length;
}

std::optional<RtcpNews> parse_rtcp(Bytes datagram, std::uint32_t our_ssrc) {
    if (datagram.size() < header_size + 4 || (datagram[0] & 0xe0U) != 0x80U ||
        (datagram[1] != type_sr && datagram[1] != type_rr)) {
        return std::nullopt;
    }
    RtcpNews news;
    news.ssrc = be32(datagram, 4);
    Bytes rest = datagram;
    while (!rest.empty()) {
        if (rest.size() < header_size || (rest[0] >> 6U) != 2) {
            return std::nullopt;
        }
        const std::size_t length = (std::size_t{be16(rest, 2)} + 1) * 4;
        if (length > rest.size()) {
            return std::nullopt;
        }
        const Bytes packet = rest.first(length);
        rest = rest.subspan(length);
        const bool is_report = packet[1] == type_sr || packet[1] == type_rr;
        if (is_report && (length < 8 || !read_report(packet, our_ssrc, news))) {
            return std::nullopt;
        }
        news.bye = news.bye || packet[1] == type_bye;
    }
    return news;
}

std::uint64_t to_ntp(std::int64_t real_ns) {
    const auto seconds = static_cast<std::uint64_t>(real_ns / second_ns + ntp_epoch_s);
    const auto rest = static_cast<std::uint64_t>(real_ns % second_ns);
    return (seconds << 32U) | ((rest << 32U) / static_cast<std::uint64_t>(second_ns));
}

std::optional<double> round_trip_ms(const ReportBlock& about_us, std::uint64_t arrival_ntp) {
    if (about_us.last_sr == 0) {
        return std::nullopt;
    }
    const auto units = static_cast<std::int32_t>(ntp_middle(arrival_ntp) - about_us.last_sr -
                                                 about_us.delay_since_sr);
    constexpr std::int32_t minute = 60 * 65536;
    if (units > minute || units < -65) { // a millisecond below zero is rounding, more is a lie
        return std::nullopt;
    }
    return std::max(units, 0) * 1000.0 / 65536.0;
}

std::int64_t rtcp_interval_ns(std::uint32_t random) {
    constexpr std::uint64_t base_ms = 5000;
    const std::uint64_t spread_ms = (base_ms * random) >> 32U; // 0..base
    return static_cast<std::int64_t>(base_ms / 2 + spread_ms) * 1'000'000;
}

} // namespace revenant::media
