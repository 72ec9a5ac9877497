#include "media/audio/sources_and_sinks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "media/audio/wav_reader.hpp"
#include "media/audio/wav_writer.hpp"
#include "media/rates.hpp"
#include "revenant/base/text.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media {

using base::Errc;

namespace {

constexpr std::uint32_t tone_hz_default = 440;

class SilentSource final : public FrameSource {
public:
    int read(std::uint64_t /*position*/, Samples out) override {
        std::ranges::fill(out, std::int16_t{0});
        return 0;
    }

    bool encoded(const CodecRow& codec, std::uint64_t /*position*/, MutableBytes out) override {
        std::ranges::fill(out, codec.silence);
        return true;
    }
};

// One second of a tone of a whole number of hertz repeats without a seam.
struct ToneTable {
    std::array<std::int16_t, pcm_rate> pcm{};
    std::vector<std::vector<std::uint8_t>> encoded; // one per row of the codec table
};

std::shared_ptr<const ToneTable> tone_table(std::uint32_t hz) {
    // Shared among all calls that play the same tone; the last one frees it. Main thread only.
    static std::map<std::uint32_t, std::weak_ptr<const ToneTable>> tables;
    if (auto known = tables[hz].lock()) {
        return known;
    }
    auto table = std::make_shared<ToneTable>();
    constexpr double amplitude = 8000; // -12 dBov, comfortable
    for (std::size_t i = 0; i < pcm_rate; ++i) {
        const double turns = static_cast<double>(i * hz % pcm_rate) / pcm_rate;
        table->pcm[i] = static_cast<std::int16_t>(
            std::lround(amplitude * std::sin(2 * std::numbers::pi * turns)));
    }
    for (const CodecRow& codec : codec_table()) {
        table->encoded.emplace_back(pcm_rate);
        codec.encode(table->pcm, table->encoded.back());
    }
    tables[hz] = table;
    return table;
}

template <typename In, typename Out>
void copy_circular(std::span<const In> ring, std::uint64_t position, std::span<Out> out) {
    while (!out.empty()) {
        const auto at = static_cast<std::size_t>(position % ring.size());
        const std::size_t count = std::min(out.size(), ring.size() - at);
        std::ranges::copy(ring.subspan(at, count), out.begin());
        position += count;
        out = out.subspan(count);
    }
}

class ToneSource final : public FrameSource {
public:
    explicit ToneSource(std::uint32_t hz) : table_{tone_table(hz)} {}

    int read(std::uint64_t position, Samples out) override {
        copy_circular(ConstSamples{table_->pcm}, position, out);
        return 0;
    }

    bool encoded(const CodecRow& codec, std::uint64_t position, MutableBytes out) override {
        const auto row = static_cast<std::size_t>(&codec - codec_table().data());
        copy_circular(Bytes{table_->encoded[row]}, position, out);
        return true;
    }

private:
    std::shared_ptr<const ToneTable> table_;
};

class FileSource final : public FrameSource {
public:
    explicit FileSource(WavReader reader) : reader_{std::move(reader)} {}

    int read(std::uint64_t position, Samples out) override {
        if (!failed_ && reader_.read(position, out)) {
            return 0;
        }
        std::ranges::fill(out, std::int16_t{0});
        if (failed_) {
            return 0;
        }
        failed_ = true;
        return errno != 0 ? errno : EIO;
    }

private:
    WavReader reader_;
    bool failed_ = false;
};

class EchoSource final : public FrameSource {
public:
    int read(std::uint64_t /*position*/, Samples out) override {
        const std::size_t count = std::min(out.size(), heard_);
        std::copy_n(pcm_.begin(), count, out.begin());
        std::ranges::fill(out.subspan(count), std::int16_t{0});
        heard_ = 0;
        return 0;
    }

    [[nodiscard]] bool listens() const override { return true; }

    void hear(ConstSamples pcm) override {
        heard_ = std::min(pcm.size(), pcm_.size());
        std::copy_n(pcm.begin(), heard_, pcm_.begin());
    }

private:
    std::array<std::int16_t, packet_samples_max> pcm_{};
    std::size_t heard_ = 0;
};

class FileSink final : public FrameSink {
public:
    explicit FileSink(WavWriter writer) : writer_{std::move(writer)} {}

    int write(ConstSamples pcm) override { return writer_.write(pcm) ? 0 : errno; }

    int silence(std::uint64_t samples) override { return writer_.silence(samples) ? 0 : errno; }

private:
    WavWriter writer_;
};

// What stands behind "file:", or nothing.
std::optional<std::string> file_path(const std::string& text) {
    constexpr std::string_view scheme = "file:";
    if (!text.starts_with(scheme) || text.size() == scheme.size()) {
        return std::nullopt;
    }
    return text.substr(scheme.size());
}

base::Result<std::uint32_t> tone_hz(const std::string& text) {
    constexpr std::string_view prefix = "tone:";
    if (text == "tone") {
        return tone_hz_default;
    }
    const auto hz = base::to_u32(std::string_view{text}.substr(prefix.size()));
    if (!hz || *hz < 1 || *hz >= pcm_rate / 2) {
        return base::fail(Errc::bad_input,
                          fmt::format("\"{}\" is no tone: write tone:HZ with 1 to {} Hz",
                                      base::printable(text), pcm_rate / 2 - 1));
    }
    return *hz;
}

} // namespace

bool FrameSource::encoded(const CodecRow& /*codec*/,
                          std::uint64_t /*position*/,
                          MutableBytes /*out*/) {
    return false;
}

std::unique_ptr<FrameSource> silent_source() {
    return std::make_unique<SilentSource>();
}

base::Result<std::unique_ptr<FrameSource>> open_source(const std::string& text) {
    if (text.empty() || text == "silence") {
        return silent_source();
    }
    if (text == "echo") {
        return std::make_unique<EchoSource>();
    }
    if (text == "tone" || text.starts_with("tone:")) {
        const auto hz = tone_hz(text);
        if (!hz) {
            return base::fail(hz.error());
        }
        return std::make_unique<ToneSource>(*hz);
    }
    if (const auto path = file_path(text)) {
        auto reader = WavReader::open(*path);
        if (!reader) {
            return base::fail(reader.error());
        }
        return std::make_unique<FileSource>(std::move(*reader));
    }
    return base::fail(
        Errc::bad_input,
        fmt::format("there is no source \"{}\": silence, tone[:HZ], file:PATH.wav or echo",
                    base::printable(text)));
}

base::Result<std::unique_ptr<FrameSink>> open_sink(const std::string& text, Continue continued) {
    if (text.empty() || text == "null") {
        return nullptr;
    }
    if (const auto path = file_path(text)) {
        auto writer =
            WavWriter::open(*path, continued == Continue::yes ? WavWriter::Begin::append_timed
                                                              : WavWriter::Begin::anew);
        if (!writer) {
            return base::fail(writer.error());
        }
        return std::make_unique<FileSink>(std::move(*writer));
    }
    return base::fail(Errc::bad_input, fmt::format("there is no sink \"{}\": null or file:PATH.wav",
                                                   base::printable(text)));
}

base::Status check_source(const std::string& text) {
    const auto source = open_source(text);
    return source ? base::Status{} : base::fail(source.error());
}

base::Status check_sink(const std::string& text) {
    const auto path = file_path(text);
    if (!path) {
        // Nothing is created by asking, so only the texts that name no file are opened here.
        const auto sink = open_sink(text, Continue::no);
        return sink ? base::Status{} : base::fail(sink.error());
    }

    struct stat status {};

    const bool exists = ::stat(path->c_str(), &status) == 0;
    const std::size_t slash = path->rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path->substr(0, slash + 1);
    if (exists && !S_ISREG(status.st_mode)) {
        return base::fail(Errc::bad_input, fmt::format("{} is not a file", base::printable(*path)));
    }
    if (::access(exists ? path->c_str() : folder.c_str(), W_OK) != 0) {
        return base::fail(Errc::io, fmt::format("{} cannot be written", base::printable(*path)));
    }
    return {};
}

} // namespace revenant::media
