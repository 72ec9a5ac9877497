// Reads WAV files as 8 kHz mono: PCM of 8 to 32 bits, floating point, u-law and A-law, up to eight
// channels.
//
// Not libsndfile: linking it costs 1.3 ms at each start (eight more libraries to load), which is
// on the path from a kill to the first packet; and reading by position keeps no state, so that a
// restarted phone plays on from the right sample.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "media/audio/codec.hpp"
#include "media/audio/resampler.hpp"
#include "media/rates.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::media {

struct WavFormat {
    enum class Encoding : std::uint8_t { pcm8, pcm16, pcm24, pcm32, float32, float64, alaw, ulaw };

    Encoding encoding = Encoding::pcm16;
    std::uint32_t channels = 1;
    std::uint32_t rate = pcm_rate;
    std::uint64_t data_at = 0;     // file offset of the first sample
    std::uint64_t data_octets = 0; // as the header says, but never beyond the end of the file

    [[nodiscard]] std::uint32_t sample_octets() const;

    [[nodiscard]] std::uint32_t frame_octets() const { return channels * sample_octets(); }

    friend bool operator==(const WavFormat&, const WavFormat&) = default;
};

// `head` is the beginning of the file, at least up to the data chunk's header.
[[nodiscard]] base::Result<WavFormat> parse_wav(Bytes head, std::uint64_t file_octets);

inline constexpr std::size_t wav_head_max = 65'536;

class WavReader {
public:
    [[nodiscard]] static base::Result<WavReader> open(const std::string& path);

    // The samples from `position` on (at 8 kHz, mono: the mean of all channels). Past the end it
    // is silent. False if the file cannot be read.
    [[nodiscard]] bool read(std::uint64_t position, Samples out);

    [[nodiscard]] const WavFormat& format() const { return format_; }

private:
    WavReader(base::Fd file, const WavFormat& format);

    // As they are in the file, at its own rate.
    [[nodiscard]] bool read_frames(std::uint64_t first, Samples out) const;
    [[nodiscard]] bool read_chunk(std::uint64_t first, Samples out) const;

    base::Fd file_;
    WavFormat format_;
    std::unique_ptr<Resampler> resampler_; // null at 8 kHz
};

} // namespace revenant::media
