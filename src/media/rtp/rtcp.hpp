// RTCP between two parties (RFC 3550 §6): compound packets composed, strangers' ones read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "media/rtp/bytes.hpp"

namespace revenant::media {

// What our sender half says about itself (§6.4.1). `ntp` is 32.32 fixed point since 1900.
struct SenderInfo {
    std::uint64_t ntp = 0;
    std::uint32_t rtp_timestamp = 0;
    std::uint32_t packets = 0;
    std::uint32_t octets = 0;

    friend bool operator==(const SenderInfo&, const SenderInfo&) = default;
};

// One reception report block. `delay_since_sr` counts 1/65536 s.
struct ReportBlock {
    std::uint32_t ssrc = 0; // whose packets this is about
    std::uint8_t fraction_lost = 0;
    std::int32_t lost = 0; // 24 bits, signed: duplicates make it negative
    std::uint32_t highest_sequence = 0;
    std::uint32_t jitter = 0; // in timestamp units
    std::uint32_t last_sr = 0;
    std::uint32_t delay_since_sr = 0;

    friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};

// A compound packet as we send it: an SR if `sender` is there, else an RR; then SDES with the
// CNAME; then BYE if wanted.
struct RtcpReport {
    std::uint32_t ssrc = 0;
    std::optional<SenderInfo> sender = std::nullopt;
    std::optional<ReportBlock> block = std::nullopt;
    std::string_view cname; // at most 255 octets are sent
    bool bye = false;
};

inline constexpr std::size_t rtcp_size_max = 28 + 24 + (8 + 2 + 256 + 4) + 8;

// Returns the octets written; `out` holds at least `rtcp_size_max`.
[[nodiscard]] std::size_t write_rtcp(const RtcpReport& report, MutableBytes out);

// What a received compound packet says that we use: the sender's information, the block about
// our SSRC, and whether the sender leaves.
struct RtcpNews {
    std::uint32_t ssrc = 0; // of the first packet's sender
    std::optional<SenderInfo> sender = std::nullopt;
    std::optional<ReportBlock> about_us;
    bool bye = false;
};

// Checks the whole compound as §A.2 says (version 2 throughout, begins with SR or RR without
// padding, lengths add up exactly) before it believes any of it.
[[nodiscard]] std::optional<RtcpNews> parse_rtcp(Bytes datagram, std::uint32_t our_ssrc);

// 32.32 fixed-point seconds since 1900 from nanoseconds since 1970.
[[nodiscard]] std::uint64_t to_ntp(std::int64_t real_ns);

// The middle 32 bits, as LSR and DLSR use them.
[[nodiscard]] constexpr std::uint32_t ntp_middle(std::uint64_t ntp) {
    return static_cast<std::uint32_t>(ntp >> 16U);
}

// The round trip from a block about us that arrived at `arrival_ntp` (§6.4.1): A - LSR - DLSR.
// Nothing without an LSR, or if the result is negative or beyond a minute (a block that lies).
[[nodiscard]] std::optional<double> round_trip_ms(const ReportBlock& about_us,
                                                  std::uint64_t arrival_ntp);

// How long to wait until the next report: 5 s times 0.5..1.5 by `random`. With two members at
// telephone rates the bandwidth rule of §6.2 never asks for more than the 5 s minimum, so member
// counting, reconsideration and the e-3/2 compensation of §6.3.1 are left out.
[[nodiscard]] std::int64_t rtcp_interval_ns(std::uint32_t random);

} // namespace revenant::media
