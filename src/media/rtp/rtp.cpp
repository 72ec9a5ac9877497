#include "media/rtp/rtp.hpp"

namespace revenant::media {

namespace {

constexpr unsigned version = 2;

bool is_rtcp_type(std::uint8_t payload_type) {
    return payload_type >= 72 && payload_type <= 76; // 200..204 without the marker bit
}

// The octets before the payload, or nothing if they do not fit into the datagram.
std::optional<std::size_t> header_length(Bytes datagram) {
    std::size_t length = rtp_header_size + std::size_t{datagram[0] & 0x0fU} * 4;
    if ((datagram[0] & 0x10U) != 0) {
        if (length + 4 > datagram.size()) {
            return std::nullopt;
        }
        length += 4 + std::size_t{be16(datagram, length + 2)} * 4;
    }
    if (length > datagram.size()) {
        return std::nullopt;
    }
    return length;
}

} // namespace

std::optional<RtpPacket> parse_rtp(Bytes datagram) {
    if (datagram.size() < rtp_header_size || (datagram[0] >> 6U) != version) {
        return std::nullopt;
    }
    RtpPacket packet;
    packet.header.marker = (datagram[1] & 0x80U) != 0;
    packet.header.payload_type = datagram[1] & 0x7fU;
    packet.header.sequence = be16(datagram, 2);
    packet.header.timestamp = be32(datagram, 4);
    packet.header.ssrc = be32(datagram, 8);
    if (is_rtcp_type(packet.header.payload_type)) {
        return std::nullopt;
    }
    const auto start = header_length(datagram);
    if (!start) {
        return std::nullopt;
    }
    packet.payload = datagram.subspan(*start);
    if ((datagram[0] & 0x20U) != 0) {
        // The last octet counts the padding, itself included.
        const std::size_t padding = packet.payload.empty() ? 0 : packet.payload.back();
        if (padding == 0 || padding > packet.payload.size()) {
            return std::nullopt;
        }
        packet.payload = packet.payload.first(packet.payload.size() - padding);
    }
    return packet;
}

void write_rtp_header(const RtpHeader& header, MutableBytes out) {
    out[0] = version << 6U;
    out[1] = static_cast<std::uint8_t>((header.marker ? 0x80U : 0U) | header.payload_type);
    put_be16(out, 2, header.sequence);
    put_be32(out, 4, header.timestamp);
    put_be32(out, 8, header.ssrc);
}

} // namespace revenant::media
