// Reads WAV files as 8 kHz mono: 8- and 16-bit PCM, u-law and A-law, one or two channels.
//
// Not libsndfile: linking it costs 1.3 ms at each start (eight more libraries to load), which is
// on the path from a kill to the first packet; and reading by position keeps no state, so that a
// restarted phone plays on from the right sample.
#pragma once

#include <cstdint>
#include <string>

#include "media/codec.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::media {

struct WavFormat {
    enum class Encoding : std::uint8_t { pcm8, pcm16, alaw, ulaw };

    Encoding encoding = Encoding::pcm16;
    std::uint32_t channels = 1;
    std::uint32_t rate = 8000;
    std::uint64_t data_at = 0;     // file offset of the first sample
    std::uint64_t data_octets = 0; // as the header says, but never beyond the end of the file

    [[nodiscard]] std::uint32_t frame_octets() const {
        return channels * (encoding == Encoding::pcm16 ? 2 : 1);
    }

    friend bool operator==(const WavFormat&, const WavFormat&) = default;
};

// `head` is the beginning of the file, at least up to the data chunk's header.
[[nodiscard]] base::Result<WavFormat> parse_wav(Bytes head, std::uint64_t file_octets);

inline constexpr std::size_t wav_head_max = 65'536;

class WavReader {
public:
    [[nodiscard]] static base::Result<WavReader> open(const std::string& path);

    // The samples from `position` on (at 8 kHz, mono: the mean of two channels). Other rates are
    // interpolated linearly without a low-pass filter, which is good enough for speech and
    // prompts, not for music. Past the end it is silent. False if the file cannot be read.
    [[nodiscard]] bool read(std::uint64_t position, Samples out) const;

    [[nodiscard]] const WavFormat& format() const { return format_; }

private:
    WavReader(base::Fd file, const WavFormat& format) : file_{std::move(file)}, format_{format} {}

    [[nodiscard]] bool read_chunk(std::uint64_t position, Samples out) const;

    base::Fd file_;
    WavFormat format_;
};

} // namespace revenant::media
