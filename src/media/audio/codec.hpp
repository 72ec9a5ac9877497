// The codecs that calls may use, each as a row of functions. G.711 is spandsp's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "media/rtp/bytes.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

using Samples = std::span<std::int16_t>;
using ConstSamples = std::span<const std::int16_t>;

// One octet is one sample at 8 kHz in all codecs so far, which the jitter buffer relies on to play
// part of a packet. A codec with a state (Opus, G.722) gets a `make` column returning an object.
struct CodecRow {
    std::string_view name;     // as SDP spells it
    std::uint8_t payload_type; // RFC 3551 table 4
    std::uint32_t clock_rate;
    std::uint8_t silence;                               // the octet of a zero sample
    void (*encode)(ConstSamples pcm, MutableBytes out); // sizes are equal
    void (*decode)(Bytes in, Samples pcm);
};

[[nodiscard]] std::span<const CodecRow> codec_table();

// By name (any case) and clock rate; null if we do not have it.
[[nodiscard]] const CodecRow* find_codec(const call::Codec& codec);

} // namespace revenant::media
