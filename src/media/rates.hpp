// How many samples, and how many units of an RTP timestamp, a second has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace revenant::media {

// Of the sound in this program, whatever it comes by: sources, sinks, files, the concealer and the
// jitter buffer count these. It is also the RTP clock of every codec that there is (codec.cpp
// asserts it); one with another needs a resampler beside its row, or this to be that of the call.
inline constexpr std::uint32_t pcm_rate = 8000;
inline constexpr std::uint32_t pcm_per_ms = pcm_rate / 1000;
static_assert(pcm_per_ms * 1000 == pcm_rate);

// How long a packet may be (RFC 4566 §6, ptime).
inline constexpr std::uint32_t packet_ms_min = 10;
inline constexpr std::uint32_t packet_ms_max = 60;
inline constexpr std::size_t packet_samples_max = std::size_t{packet_ms_max} * pcm_per_ms;

inline constexpr std::int64_t second_ns = 1'000'000'000;

// So many whole samples or units a span has, rounded down. No product overflows, however long the
// machine has been up. `ns` is not negative.
[[nodiscard]] constexpr std::int64_t units_in(std::int64_t ns, std::uint32_t rate) {
    return ns / second_ns * rate + ns % second_ns * rate / second_ns;
}

[[nodiscard]] constexpr std::uint64_t microseconds_of(std::uint64_t units, std::uint32_t rate) {
    return units * 1'000'000 / rate;
}

} // namespace revenant::media
