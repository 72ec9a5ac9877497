// Packet loss concealment: spandsp's, which repeats the last pitch period and fades out in 50 ms.
#pragma once

#include <algorithm>
#include <iterator>

#include "media/audio/codec.hpp"
#include "media/audio/spandsp.hpp"

namespace revenant::media {

class Concealer {
public:
    Concealer() { plc_init(&state_); }

    // Every piece that was received passes through here; after a gap its start is smoothed.
    void heard(Samples pcm) { plc_rx(&state_, pcm.data(), static_cast<int>(pcm.size())); }

    void fill(Samples pcm) {
        // The library would do this by a memcpy whose ranges overlap.
        std::rotate(std::begin(state_.history), std::begin(state_.history) + state_.buf_ptr,
                    std::end(state_.history));
        state_.buf_ptr = 0;
        plc_fillin(&state_, pcm.data(), static_cast<int>(pcm.size()));
    }

private:
    plc_state_t state_{};
};

} // namespace revenant::media
