// Where a call's sound comes from and goes to, as PCM frames at 8 kHz: here files, tones and an
// echo look alike. Made on the main thread, called on the media thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "media/audio/codec.hpp"
#include "revenant/base/result.hpp"

namespace revenant::media {

class FrameSource {
public:
    FrameSource() = default;
    FrameSource(const FrameSource&) = delete;
    FrameSource& operator=(const FrameSource&) = delete;
    virtual ~FrameSource() = default;

    // The samples from `position` on. The position follows the slot clock, so a source that knows
    // what sounds at a position goes on over a restart by itself. Must not block; a device that
    // has nothing yet gives silence. Returns 0, or an errno the first time that it fails (then
    // and from then on it gives silence).
    virtual int read(std::uint64_t position, Samples out) = 0;

    // The same already encoded, for sources that can have it ready; false: use `read`.
    virtual bool encoded(const CodecRow& codec, std::uint64_t position, MutableBytes out);

    // Whether the session shall hand back what it hears, through `hear`.
    [[nodiscard]] virtual bool listens() const { return false; }

    virtual void hear(ConstSamples /*pcm*/) {}
};

class FrameSink {
public:
    FrameSink() = default;
    FrameSink(const FrameSink&) = delete;
    FrameSink& operator=(const FrameSink&) = delete;
    virtual ~FrameSink() = default;

    // The next frame, or a stretch in which nothing was played. Returns 0 or an errno; after an
    // error the session drops the sink.
    virtual int write(ConstSamples pcm) = 0;
    virtual int silence(std::uint64_t samples) = 0;
};

// Whether a sink goes on with what an earlier process of the same call recorded.
enum class Continue : std::uint8_t { no, yes };

// From the texts of `call::Media`. A null sink is a null pointer.
[[nodiscard]] base::Result<std::unique_ptr<FrameSource>> open_source(const std::string& text);
[[nodiscard]] base::Result<std::unique_ptr<FrameSink>> open_sink(const std::string& text,
                                                                 Continue continued);
[[nodiscard]] std::unique_ptr<FrameSource> silent_source();

} // namespace revenant::media
