#include "media/rtp/reception.hpp"

#include <algorithm>

namespace revenant::media {

namespace {

constexpr std::uint16_t dropout_max = 3000;
constexpr std::uint16_t misorder_max = 100;
constexpr std::uint16_t window_size = 64;

} // namespace

void Reception::restart(std::uint32_t ssrc, std::uint16_t sequence, bool same_source) {
    lost_before_ = lost();
    started_ = true;
    transit_known_ = false;
    ssrc_ = ssrc;
    highest_ = sequence;
    base_ = sequence;
    cycles_ = 0;
    bad_next_ = bad_none;
    window_ = 1;
    received_ = 1;
    expected_prior_ = 0;
    received_prior_ = 0;
    if (!same_source) {
        jitter_ = 0;
    }
}

// Whether the number that is `behind` before the highest came already; remembers it. Beyond the
// window we cannot tell and say yes: such a packet is far too late to be played anyway.
bool Reception::seen(std::uint16_t behind) {
    if (behind >= window_size) {
        return true;
    }
    const std::uint64_t bit = std::uint64_t{1} << behind;
    const bool before = (window_ & bit) != 0;
    window_ |= bit;
    return before;
}

void Reception::update_jitter(std::uint32_t timestamp, std::uint32_t arrival_units) {
    const std::uint32_t transit = arrival_units - timestamp;
    if (transit_known_) {
        const auto difference = static_cast<std::int32_t>(transit - transit_);
        // A sender's pause or clock step is no jitter; 2^20 units are two minutes.
        const auto step = static_cast<std::uint32_t>(
            std::min<std::int64_t>(std::abs(std::int64_t{difference}), 1 << 20U));
        jitter_ += step - ((jitter_ + 8) >> 4U);
    }
    transit_ = transit;
    transit_known_ = true;
}

Reception::Verdict Reception::receive(std::uint32_t ssrc,
                                      std::uint16_t sequence,
                                      std::uint32_t timestamp,
                                      std::uint32_t arrival_units) {
    if (!started_ || ssrc != ssrc_) {
        restart(ssrc, sequence, false);
        update_jitter(timestamp, arrival_units);
        return Verdict::restarted;
    }
    const auto ahead = static_cast<std::uint16_t>(sequence - highest_);
    if (ahead != 0 && ahead < dropout_max) {
        if (sequence < highest_) {
            cycles_ += 0x10000;
        }
        window_ = ahead >= window_size ? 0 : window_ << ahead;
        window_ |= 1U;
        highest_ = sequence;
        bad_next_ = bad_none;
        ++received_;
        update_jitter(timestamp, arrival_units);
        return Verdict::next;
    }
    const auto behind = static_cast<std::uint16_t>(highest_ - sequence);
    if (behind <= misorder_max) {
        if (seen(behind)) {
            return Verdict::duplicate;
        }
        ++received_;
        return Verdict::reordered;
    }
    if (sequence == bad_next_) {
        restart(ssrc, sequence, true);
        update_jitter(timestamp, arrival_units);
        return Verdict::restarted;
    }
    bad_next_ = (std::uint32_t{sequence} + 1) & 0xffffU;
    return Verdict::suspicious;
}

std::int64_t Reception::lost_now() const {
    if (!started_) {
        return 0;
    }
    const std::int64_t expected = std::int64_t{highest()} - base_ + 1;
    return expected - static_cast<std::int64_t>(received_);
}

std::uint64_t Reception::lost() const {
    return lost_before_ + static_cast<std::uint64_t>(std::max<std::int64_t>(lost_now(), 0));
}

std::optional<ReportBlock> Reception::report() {
    if (!started_) {
        return std::nullopt;
    }
    const auto expected = static_cast<std::uint64_t>(std::int64_t{highest()} - base_ + 1);
    const auto expected_here = static_cast<std::int64_t>(expected - expected_prior_);
    const auto received_here = static_cast<std::int64_t>(received_ - received_prior_);
    const std::int64_t lost_here = expected_here - received_here;
    expected_prior_ = expected;
    received_prior_ = received_;

    ReportBlock block;
    block.ssrc = ssrc_;
    block.highest_sequence = highest();
    block.jitter = jitter_units();
    block.lost =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(lost_now(), -0x800000, 0x7fffff));
    if (expected_here > 0 && lost_here > 0) {
        block.fraction_lost =
            static_cast<std::uint8_t>(std::min<std::int64_t>(lost_here * 256 / expected_here, 255));
    }
    return block;
}

} // namespace revenant::media
