#include "media/audio/codec.hpp"

#include <algorithm>
#include <array>

#include "media/audio/spandsp.hpp"
#include "media/rates.hpp"
#include "revenant/base/text.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media {

namespace {

void encode_ulaw(ConstSamples pcm, MutableBytes out) {
    std::transform(pcm.begin(), pcm.end(), out.begin(),
                   [](std::int16_t sample) { return linear_to_ulaw(sample); });
}

void decode_ulaw(Bytes in, Samples pcm) {
    std::transform(in.begin(), in.end(), pcm.begin(),
                   [](std::uint8_t octet) { return ulaw_to_linear(octet); });
}

void encode_alaw(ConstSamples pcm, MutableBytes out) {
    std::transform(pcm.begin(), pcm.end(), out.begin(),
                   [](std::int16_t sample) { return linear_to_alaw(sample); });
}

void decode_alaw(Bytes in, Samples pcm) {
    std::transform(in.begin(), in.end(), pcm.begin(),
                   [](std::uint8_t octet) { return alaw_to_linear(octet); });
}

// In our order of preference.
constexpr std::array table{
    CodecRow{.name = "PCMA",
             .payload_type = 8,
             .clock_rate = pcm_rate,
             .silence = 0xd5,
             .encode = encode_alaw,
             .decode = decode_alaw},
    CodecRow{.name = "PCMU",
             .payload_type = 0,
             .clock_rate = pcm_rate,
             .silence = 0xff,
             .encode = encode_ulaw,
             .decode = decode_ulaw},
};

} // namespace

static_assert(std::ranges::all_of(table,
                                  [](const CodecRow& row) { return row.clock_rate == pcm_rate; }),
              "a codec of another rate: see rates.hpp");

std::span<const CodecRow> codec_table() {
    return table;
}

const CodecRow* find_codec(const call::Codec& codec) {
    const auto* const row = std::ranges::find_if(table, [&](const CodecRow& candidate) {
        return base::equals_ignoring_case(candidate.name, codec.name) &&
               candidate.clock_rate == codec.clock_rate;
    });
    return row == table.end() ? nullptr : row;
}

std::vector<call::Codec> supported_codecs() {
    std::vector<call::Codec> codecs;
    codecs.reserve(table.size());
    for (const CodecRow& row : table) {
        codecs.push_back({.payload_type = row.payload_type,
                          .name = std::string{row.name},
                          .clock_rate = row.clock_rate});
    }
    return codecs;
}

} // namespace revenant::media
