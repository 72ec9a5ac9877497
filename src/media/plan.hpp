// What a stream is to do, and where its numbers begin: worked out on the main thread from a call's
// record.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "media/audio/codec.hpp"
#include "media/audio/sources_and_sinks.hpp"
#include "media/rates.hpp"
#include "media/rtp/numbering.hpp"
#include "media/rtp/sockets.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

// What a session is to do from now on, made on the main thread. `apply` puts the old source and
// sink in place of the new ones, so that files are closed on the main thread too.
struct Plan {
    Address remote;
    Address remote_rtcp;
    const CodecRow* codec = nullptr; // static table
    std::uint8_t payload_type = 0;   // of what we send
    // By payload type of what comes in: the row of the codec table, or `not_agreed`.
    static constexpr std::uint8_t not_agreed = 0xff;
    std::array<std::uint8_t, 128> receive = [] {
        std::array<std::uint8_t, 128> none{};
        none.fill(not_agreed);
        return none;
    }();
    std::optional<std::uint8_t> event_type; // RFC 4733
    std::uint32_t clock_rate = pcm_rate;    // units of a timestamp in a second, of what we send
    std::uint32_t step = 20 * pcm_per_ms;   // units in a packet
    std::int64_t period_ns = 20'000'000;
    bool may_send = true;
    bool may_receive = true;
    bool muted = false;
    bool new_source = false;
    bool new_sink = false;
    std::unique_ptr<FrameSource> source;
    std::unique_ptr<FrameSink> sink; // null: what is received is not decoded
};

// All of it that the record says: without files, and not muted.
[[nodiscard]] base::Result<Plan> make_plan(call::Number number, const call::Media& media);

// The segment was begun before this boot, or by a process that ended before `opened_at`.
[[nodiscard]] bool is_older(const call::Segment& segment, const base::Now& opened_at);

// The run that a stream begins with in this process, in the `phase`th slot of the period.
// `is_unsure`: an earlier process may have sent it up to now, and what it sent last is not known.
[[nodiscard]] Run first_run(const call::Segment& segment,
                            const Plan& plan,
                            bool is_unsure,
                            std::int64_t phase,
                            const base::Now& now);

} // namespace revenant::media
