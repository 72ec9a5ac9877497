#include "media/audio/wav_reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/text.hpp"

namespace revenant::media {

using base::Errc;

namespace {

constexpr std::uint32_t rate_max = 192'000;
constexpr std::uint32_t channels_max = 8;
constexpr std::size_t chunk_frames = 128; // at a time
constexpr std::size_t chunk_octets = chunk_frames * channels_max * sizeof(double);

bool is_tag(Bytes b, std::size_t at, std::string_view tag) {
    return std::equal(
        tag.begin(), tag.end(), b.begin() + static_cast<std::ptrdiff_t>(at),
        [](char c, std::uint8_t octet) { return static_cast<std::uint8_t>(c) == octet; });
}

std::optional<WavFormat::Encoding> encoding_of(std::uint16_t tag, std::uint16_t bits) {
    struct Row {
        std::uint16_t tag, bits;
        WavFormat::Encoding encoding;
    };

    using enum WavFormat::Encoding;
    static constexpr std::array rows{Row{1, 8, pcm8},   Row{1, 16, pcm16},   Row{1, 24, pcm24},
                                     Row{1, 32, pcm32}, Row{3, 32, float32}, Row{3, 64, float64},
                                     Row{6, 8, alaw},   Row{7, 8, ulaw}};
    const auto* const row = std::ranges::find_if(
        rows, [&](const Row& one) { return one.tag == tag && one.bits == bits; });
    return row == rows.end() ? std::nullopt : std::optional{row->encoding};
}

base::Result<WavFormat> parse_format(Bytes chunk) {
    if (chunk.size() < 16) {
        return base::fail(Errc::bad_input, "its format chunk is too short");
    }
    std::uint16_t tag = le16(chunk, 0);
    if (tag == 0xfffe && chunk.size() >= 40) {
        tag = le16(chunk, 24); // WAVE_FORMAT_EXTENSIBLE: the true tag begins the sub-format
    }
    const std::uint16_t bits = le16(chunk, 14);
    WavFormat format;
    format.channels = le16(chunk, 2);
    format.rate = le32(chunk, 4);
    const auto encoding = encoding_of(tag, bits);
    if (!encoding) {
        return base::fail(Errc::unsupported,
                          fmt::format("format {} with {} bits is neither PCM nor G.711; "
                                      "`sox FILE -b 16 NEW.wav` makes one that is",
                                      tag, bits));
    }
    format.encoding = *encoding;
    if (format.channels < 1 || format.channels > channels_max) {
        return base::fail(Errc::unsupported, fmt::format("it has {} channels, one to {} are read",
                                                         format.channels, channels_max));
    }
    if (format.rate < 4000 || format.rate > rate_max) {
        return base::fail(
            Errc::unsupported,
            fmt::format("{} samples per second are outside 4000 to {}", format.rate, rate_max));
    }
    return format;
}

// Full scale is 1; more than that is cut, and what is no number is silence.
std::int32_t from_float(double value) {
    return std::isfinite(value)
               ? static_cast<std::int32_t>(std::lround(std::clamp(value, -1.0, 1.0) * 32767))
               : 0;
}

std::int32_t sample_at(const WavFormat& format, Bytes data, std::size_t at) {
    using enum WavFormat::Encoding;
    switch (format.encoding) {
    case pcm8: return (std::int32_t{data[at]} - 128) * 256;
    case pcm16: return static_cast<std::int16_t>(le16(data, at));
    case pcm24: return static_cast<std::int16_t>(le16(data, at + 1)); // the upper 16 bits
    case pcm32: return static_cast<std::int16_t>(le16(data, at + 2));
    case float32: return from_float(std::bit_cast<float>(le32(data, at)));
    case float64:
        return from_float(
            std::bit_cast<double>(std::uint64_t{le32(data, at + 4)} << 32U | le32(data, at)));
    case alaw:
    case ulaw: break;
    }
    const CodecRow* const row =
        find_codec({.payload_type = 0, .name = format.encoding == alaw ? "PCMA" : "PCMU"});
    std::int16_t pcm = 0;
    row->decode(data.subspan(at, 1), {&pcm, 1});
    return pcm;
}

// One frame as mono; silent beyond what was read.
std::int16_t mono_at(const WavFormat& format, Bytes data, std::size_t frame) {
    const std::size_t at = frame * format.frame_octets();
    if (at + format.frame_octets() > data.size()) {
        return 0;
    }
    std::int32_t sum = 0;
    for (std::size_t channel = 0; channel < format.channels; ++channel) {
        sum += sample_at(format, data, at + channel * format.sample_octets());
    }
    return static_cast<std::int16_t>(sum / static_cast<std::int32_t>(format.channels));
}

} // namespace

std::uint32_t WavFormat::sample_octets() const {
    using enum Encoding;
    switch (encoding) {
    case pcm8:
    case alaw:
    case ulaw: return 1;
    case pcm16: return 2;
    case pcm24: return 3;
    case pcm32:
    case float32: return 4;
    case float64: return 8;
    }
    return 1;
}

base::Result<WavFormat> parse_wav(Bytes head, std::uint64_t file_octets) {
    if (head.size() < 12 || !is_tag(head, 0, "RIFF") || !is_tag(head, 8, "WAVE")) {
        return base::fail(Errc::bad_input, "it is not a WAV file");
    }
    std::size_t at = 12;
    bool has_format = false;
    WavFormat format;
    while (head.size() - at >= 8) {
        const std::uint64_t size = le32(head, at + 4);
        const std::size_t body = at + 8;
        if (is_tag(head, at, "fmt ")) {
            auto parsed =
                parse_format(head.subspan(body, std::min<std::uint64_t>(size, head.size() - body)));
            if (!parsed) {
                return parsed;
            }
            format = *parsed;
            has_format = true;
        } else if (is_tag(head, at, "data")) {
            if (!has_format) {
                return base::fail(Errc::bad_input, "its data come before their format");
            }
            format.data_at = body;
            format.data_octets = std::min(size, file_octets > body ? file_octets - body : 0);
            return format;
        }
        const std::uint64_t next = body + size + (size & 1U);
        if (next > head.size()) {
            break;
        }
        at = static_cast<std::size_t>(next);
    }
    return base::fail(Errc::bad_input, "it has no data within its first 64 kB");
}

base::Result<WavReader> WavReader::open(const std::string& path) {
    // Not blocking: a named pipe would hold the phone until somebody writes.
    base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

    struct stat status {};

    if (!file || ::fstat(file.get(), &status) != 0) {
        const int error = errno;
        return base::fail(error == ENOENT ? Errc::not_found : Errc::io,
                          fmt::format("cannot open {}: {}", base::printable(path),
                                      std::strerror(error))); // NOLINT(concurrency-mt-unsafe)
    }
    if (!S_ISREG(status.st_mode)) {
        return base::fail(Errc::bad_input, fmt::format("{} is not a file", base::printable(path)));
    }
    std::vector<std::uint8_t> head(wav_head_max);
    const ssize_t got = ::pread(file.get(), head.data(), head.size(), 0);
    head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    auto format = parse_wav(head, static_cast<std::uint64_t>(status.st_size));
    if (!format) {
        return base::fail(
            format.error().code,
            fmt::format("cannot play {}: {}", base::printable(path), format.error().context));
    }
    return WavReader{std::move(file), *format};
}

WavReader::WavReader(base::Fd file, const WavFormat& format)
    : file_{std::move(file)}, format_{format},
      resampler_{format.rate == pcm_rate ? nullptr : std::make_unique<Resampler>(format.rate)} {}

bool WavReader::read_chunk(std::uint64_t first, Samples out) const {
    const std::uint64_t from = first * format_.frame_octets();
    if (from >= format_.data_octets) {
        std::ranges::fill(out, std::int16_t{0});
        return true;
    }
    std::array<std::uint8_t, chunk_octets> buffer; // NOLINT(*-member-init): filled by the read
    const std::uint64_t wanted =
        std::min<std::uint64_t>(out.size() * format_.frame_octets(), format_.data_octets - from);
    const ssize_t got =
        ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(format_.data_at + from));
    if (got < 0) {
        std::ranges::fill(out, std::int16_t{0});
        return false;
    }
    const Bytes data = Bytes{buffer}.first(static_cast<std::size_t>(got));
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = mono_at(format_, data, i);
    }
    return true;
}

bool WavReader::read_frames(std::uint64_t first, Samples out) const {
    bool good = true;
    while (!out.empty()) {
        const std::size_t now = std::min(out.size(), chunk_frames);
        good = read_chunk(first, out.first(now)) && good;
        first += now;
        out = out.subspan(now);
    }
    return good;
}

bool WavReader::read(std::uint64_t position, Samples out) {
    if (!resampler_) {
        return read_frames(position, out);
    }
    return resampler_->read(position, out, [this](std::uint64_t first, Samples samples) {
        return read_frames(first, samples);
    });
}

} // namespace revenant::media
