#include "media/audio/resampler.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <numeric>

#include <speex/speex_resampler.h>

#include "media/rates.hpp"

namespace revenant::media {

namespace {

constexpr int quality = 5;                  // of 0..10: 80 taps at the lower of both rates
constexpr std::uint64_t history = 160;      // output samples that a jump needs before it
constexpr std::uint64_t period_max = 320;   // that of 11,025 Hz, the longest of the common rates
constexpr std::size_t input_samples = 1024; // read at a time

SpeexResamplerState* speex(void* state) {
    return static_cast<SpeexResamplerState*>(state);
}

} // namespace

void Resampler::Free::operator()(State* state) const {
    ::speex_resampler_destroy(speex(state));
}

Resampler::Resampler(std::uint32_t rate_in) : rate_in_{rate_in} {
    int error = 0;
    void* const state = ::speex_resampler_init(1, rate_in, pcm_rate, quality, &error);
    if (state == nullptr) {
        throw std::bad_alloc{}; // the only way to fail with these arguments
    }
    state_.reset(static_cast<State*>(state));
}

bool Resampler::go_on(Samples out, const Input& input) {
    std::array<std::int16_t, input_samples> buffer; // NOLINT(*-member-init): filled by the input
    bool good = true;
    next_out_ += out.size();
    while (!out.empty()) {
        // About what this much output takes; what is read and not taken is read again.
        const std::uint64_t wanted = out.size() * std::uint64_t{rate_in_} / pcm_rate + 1;
        const Samples chunk = Samples{buffer}.first(std::min<std::uint64_t>(wanted, buffer.size()));
        good = input(next_in_, chunk) && good;
        auto taken = static_cast<spx_uint32_t>(chunk.size());
        auto made = static_cast<spx_uint32_t>(out.size());
        ::speex_resampler_process_int(speex(state_.get()), 0, chunk.data(), &taken, out.data(),
                                      &made);
        next_in_ += taken;
        out = out.subspan(made);
        if (taken == 0 && made == 0) {
            std::ranges::fill(out, std::int16_t{0}); // it always takes or makes something
            return false;
        }
    }
    return good;
}

bool Resampler::jump(std::uint64_t position, const Input& input) {
    // Where an input sample lies exactly on an output sample, so that a jump sounds as if there had
    // been none; with odd rates it is off by less than one sample.
    const std::uint64_t period = pcm_rate / std::gcd(rate_in_, pcm_rate);
    std::array<std::int16_t, history + period_max> before; // NOLINT(*-member-init): filled, dropped
    std::uint64_t skipped = std::min(position, history);
    skipped += period <= period_max ? (position - skipped) % period : 0;
    ::speex_resampler_reset_mem(speex(state_.get()));
    ::speex_resampler_skip_zeros(speex(state_.get()));
    next_out_ = position - skipped;
    next_in_ = next_out_ * rate_in_ / pcm_rate;
    return go_on(Samples{before}.first(skipped), input);
}

bool Resampler::read(std::uint64_t position, Samples out, const Input& input) {
    bool good = true;
    if (!started_ || position != next_out_) {
        started_ = true;
        good = jump(position, input);
    }
    return go_on(out, input) && good;
}

} // namespace revenant::media
