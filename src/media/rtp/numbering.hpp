// Which RTP packet is due when: sequence numbers and timestamps as a pure function of the clock,
// so that a process that starts again knows them without having been told.
//
// Packets are counted by an *index* that only grows over the life of a stream, over pauses and
// restarts: its low 16 bits are the sequence number (the rest is what SRTP calls the roll-over
// counter). A `Run` is a stretch of sending without a pause: packet `index + n` is due at
// `boot_ns + n * period_ns`. Zero is no index, so "the last one sent" is 0 before the first.
#pragma once

#include <cstdint>

#include "media/rates.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::media {

// All sessions are served on multiples of this, so that one wake-up serves many.
inline constexpr std::int64_t grid_ns = 5'000'000;

struct Run {
    std::uint64_t index = 0;
    std::uint32_t timestamp = 0;          // of the packet `index`
    std::uint32_t step = 20 * pcm_per_ms; // timestamp units from one packet to the next
    std::int64_t boot_ns = 0;             // when the packet `index` is due; a multiple of the grid
    std::int64_t real_ns = 0;             // the same instant
    std::int64_t period_ns = 20'000'000;

    friend bool operator==(const Run&, const Run&) = default;
};

// The index whose sequence number is `sequence` at the start of a stream.
[[nodiscard]] constexpr std::uint64_t first_index(std::uint16_t sequence) {
    return 0x10000U + std::uint64_t{sequence};
}

// Units of the timestamps in a second.
[[nodiscard]] constexpr std::int64_t clock_rate_of(const Run& run) {
    return run.step * second_ns / run.period_ns;
}

// The newest packet that is due at `boot_ns`; may lie before `run.index` if the run has not begun.
[[nodiscard]] std::int64_t index_at(const Run& run, std::int64_t boot_ns);
[[nodiscard]] std::uint32_t timestamp_of(const Run& run, std::uint64_t index);
// By the clock, between packets too.
[[nodiscard]] std::uint32_t timestamp_at(const Run& run, std::int64_t boot_ns);

// The same run told in this boot's clock: after a reboot only `real_ns` means anything.
[[nodiscard]] Run rebased(const Run& run, const base::Now& now);

// The run that follows `old` after a pause, or when codec or packet time change: the sequence
// number goes on without a gap after `last_index` (the peer sees no loss), the timestamp by the
// clock, never behind what was sent. It begins at `boot_ns`, which must be on the grid.
[[nodiscard]] Run next_run(const Run& old,
                           std::uint64_t last_index,
                           std::int64_t boot_ns,
                           const base::Now& now,
                           std::uint32_t step,
                           std::int64_t period_ns);

// The first multiple of the grid after `boot_ns` that is congruent to `phase` grid steps modulo
// the period: sessions of different phases do not crowd one wake-up.
[[nodiscard]] std::int64_t
next_in_phase(std::int64_t boot_ns, std::int64_t phase, std::int64_t period_ns);

} // namespace revenant::media
