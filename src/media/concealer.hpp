// Packet loss concealment: spandsp's, which repeats the last pitch period and fades out in 50 ms.
#pragma once

#include "media/codec.hpp"
#include "media/spandsp.hpp"

namespace revenant::media {

class Concealer {
public:
    Concealer() { plc_init(&state_); }

    // Every piece that was received passes through here; after a gap its start is smoothed.
    void heard(Samples pcm) { plc_rx(&state_, pcm.data(), static_cast<int>(pcm.size())); }

    void fill(Samples pcm) { plc_fillin(&state_, pcm.data(), static_cast<int>(pcm.size())); }

private:
    plc_state_t state_{};
};

} // namespace revenant::media
