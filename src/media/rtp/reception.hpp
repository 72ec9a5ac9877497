// What RFC 3550 counts about a stream that we receive: sequence cycles and validity (A.1), losses
// (A.3) and interarrival jitter (A.8). Time and bytes come in as values; nothing is allocated.
#pragma once

#include <cstdint>
#include <optional>

#include "media/rtp/rtcp.hpp"

namespace revenant::media {

class Reception {
public:
    enum class Verdict : std::uint8_t {
        next,       // in order, perhaps after a gap
        reordered,  // older than the newest, not seen before
        duplicate,  // seen before
        restarted,  // the stream began anew (SSRC change or a jump that a second packet confirmed)
        suspicious, // a jump beyond MAX_DROPOUT that nothing has confirmed yet: do not play
    };

    // `arrival_units` is the arrival time in timestamp units, any origin.
    Verdict receive(std::uint32_t ssrc,
                    std::uint16_t sequence,
                    std::uint32_t timestamp,
                    std::uint32_t arrival_units);

    [[nodiscard]] bool started() const { return started_; }

    [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }

    [[nodiscard]] std::uint32_t highest() const { return cycles_ + highest_; }

    [[nodiscard]] std::uint32_t jitter_units() const { return jitter_ >> 4U; }

    // Expected minus received over all incarnations of the stream; never below zero here.
    [[nodiscard]] std::uint64_t lost() const;

    // The report block about this stream, without LSR and DLSR; begins a new interval for the
    // fraction lost. Nothing before the first packet.
    [[nodiscard]] std::optional<ReportBlock> report();

private:
    void restart(std::uint32_t ssrc, std::uint16_t sequence, bool same_source);
    [[nodiscard]] bool seen(std::uint16_t behind);
    void update_jitter(std::uint32_t timestamp, std::uint32_t arrival_units);
    [[nodiscard]] std::int64_t lost_now() const;

    bool started_ = false;
    bool transit_known_ = false;
    std::uint32_t ssrc_ = 0;
    std::uint16_t highest_ = 0;
    std::uint32_t cycles_ = 0; // counts 65536ths, as in A.1
    std::uint32_t base_ = 0;   // the first sequence number of this incarnation
    std::uint32_t bad_next_ = bad_none;
    std::uint64_t window_ = 0; // bit k: highest - k was received
    std::uint64_t received_ = 0;
    std::uint64_t lost_before_ = 0; // in earlier incarnations
    std::uint32_t transit_ = 0;
    std::uint32_t jitter_ = 0; // scaled by 16
    std::uint64_t expected_prior_ = 0;
    std::uint64_t received_prior_ = 0;

    static constexpr std::uint32_t bad_none = 0x10000;
};

} // namespace revenant::media
