#include "media/wav_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/text.hpp"

namespace revenant::media {

using base::Errc;

namespace {

constexpr std::uint32_t rate_out = 8000;
constexpr std::uint32_t rate_max = 192'000;
constexpr std::size_t chunk_samples = 80; // at a time, so that the buffer below suffices
constexpr std::size_t chunk_octets = (chunk_samples * rate_max / rate_out + 2) * 4;

bool is_tag(Bytes b, std::size_t at, std::string_view tag) {
    return std::equal(
        tag.begin(), tag.end(), b.begin() + static_cast<std::ptrdiff_t>(at),
        [](char c, std::uint8_t octet) { return static_cast<std::uint8_t>(c) == octet; });
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
    using enum WavFormat::Encoding;
    if (tag == 1 && bits == 16) {
        format.encoding = pcm16;
    } else if (tag == 1 && bits == 8) {
        format.encoding = pcm8;
    } else if (tag == 6 && bits == 8) {
        format.encoding = alaw;
    } else if (tag == 7 && bits == 8) {
        format.encoding = ulaw;
    } else {
        return base::fail(
            Errc::unsupported,
            fmt::format("format {} with {} bits is neither 8- or 16-bit PCM nor G.711", tag, bits));
    }
    if (format.channels < 1 || format.channels > 2) {
        return base::fail(Errc::unsupported,
                          fmt::format("it has {} channels, one or two are read", format.channels));
    }
    if (format.rate < 4000 || format.rate > rate_max) {
        return base::fail(
            Errc::unsupported,
            fmt::format("{} samples per second are outside 4000 to {}", format.rate, rate_max));
    }
    return format;
}

std::int32_t sample_at(const WavFormat& format, Bytes data, std::size_t at) {
    using enum WavFormat::Encoding;
    switch (format.encoding) {
    case pcm8: return (std::int32_t{data[at]} - 128) * 256;
    case pcm16: return static_cast<std::int16_t>(le16(data, at));
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
std::int32_t mono_at(const WavFormat& format, Bytes data, std::uint64_t frame) {
    const std::size_t at = frame * format.frame_octets();
    if (at + format.frame_octets() > data.size()) {
        return 0;
    }
    const std::int32_t left = sample_at(format, data, at);
    if (format.channels == 1) {
        return left;
    }
    return (left + sample_at(format, data, at + format.frame_octets() / 2)) / 2;
}

} // namespace

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

bool WavReader::read_chunk(std::uint64_t position, Samples out) const {
    const std::uint64_t first = position * format_.rate / rate_out;
    const std::uint64_t last = (position + out.size() - 1) * format_.rate / rate_out + 1;
    const std::uint64_t from = first * format_.frame_octets();
    if (from >= format_.data_octets) {
        std::ranges::fill(out, std::int16_t{0});
        return true;
    }
    std::array<std::uint8_t, chunk_octets> buffer; // NOLINT(*-member-init): filled by the read
    const std::uint64_t wanted =
        std::min((last - first + 1) * format_.frame_octets(), format_.data_octets - from);
    const ssize_t got =
        ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(format_.data_at + from));
    if (got < 0) {
        std::ranges::fill(out, std::int16_t{0});
        return false;
    }
    const Bytes data = Bytes{buffer}.first(static_cast<std::size_t>(got));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint64_t scaled = (position + i) * format_.rate;
        const std::uint64_t frame = scaled / rate_out - first;
        const auto fraction = static_cast<std::int32_t>(scaled % rate_out);
        const std::int32_t a = mono_at(format_, data, frame);
        const std::int32_t b = fraction == 0 ? a : mono_at(format_, data, frame + 1);
        out[i] =
            static_cast<std::int16_t>(a + (b - a) * fraction / static_cast<std::int32_t>(rate_out));
    }
    return true;
}

bool WavReader::read(std::uint64_t position, Samples out) const {
    bool good = true;
    while (!out.empty()) {
        const std::size_t now = std::min(out.size(), chunk_samples);
        good = read_chunk(position, out.first(now)) && good;
        position += now;
        out = out.subspan(now);
    }
    return good;
}

} // namespace revenant::media
