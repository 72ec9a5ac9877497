// The RTP packet (RFC 3550 §5.1): read from bytes that a stranger may have sent, and written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/rtp/bytes.hpp"

namespace revenant::media {

inline constexpr std::size_t rtp_header_size = 12;

struct RtpHeader {
    bool marker = false;
    std::uint8_t payload_type = 0; // 0..127
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;

    friend bool operator==(const RtpHeader&, const RtpHeader&) = default;
};

// A received packet; `payload` points into the datagram it was parsed from.
struct RtpPacket {
    RtpHeader header;
    Bytes payload;
};

// Contributing sources and a header extension are skipped, padding is cut off. Nothing if the
// version is not 2, if any length does not fit, or if the payload type is one that RFC 5761 §4
// reserves for RTCP on a shared port.
[[nodiscard]] std::optional<RtpPacket> parse_rtp(Bytes datagram);

// Writes the 12 octets of a header without extension; `out` holds at least that many.
void write_rtp_header(const RtpHeader& header, MutableBytes out);

} // namespace revenant::media
