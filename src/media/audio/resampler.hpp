// Brings sound of any rate to 8 kHz without aliases: speexdsp's resampler, fed from a place that
// can be read at any position, so that a restarted phone plays on from the right sample.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "media/audio/codec.hpp"

namespace revenant::media {

class Resampler {
public:
    // Fills `out` with the input's samples from `first` on; false if it could not be read.
    using Input = std::function<bool(std::uint64_t first, Samples out)>;

    explicit Resampler(std::uint32_t rate_in);

    // The output samples from `position` on. One after the other they cost least; a jump reads
    // some 20 ms of the input before it.
    [[nodiscard]] bool read(std::uint64_t position, Samples out, const Input& input);

private:
    struct State;

    struct Free {
        void operator()(State* state) const;
    };

    [[nodiscard]] bool jump(std::uint64_t position, const Input& input);
    [[nodiscard]] bool go_on(Samples out, const Input& input);

    std::uint32_t rate_in_;
    std::unique_ptr<State, Free> state_;
    bool started_ = false;
    std::uint64_t next_out_ = 0;
    std::uint64_t next_in_ = 0;
};

} // namespace revenant::media
