#include "media/statistics.hpp"

#include <cstdint>

namespace revenant::media {

Statistics statistics_of(const Session& session) {
    const Counters& c = session.counters;
    Statistics s;
    s.is_resuming = c.resuming.value() != 0; // before what it vouches for
    s.packets_sent = session.slot().packets();
    s.octets_sent = session.slot().octets();
    s.packets_received = c.received.value();
    s.octets_received = c.received_octets.value();
    s.packets_lost = c.lost.value();
    s.packets_late = c.late.value();
    s.packets_duplicate = c.duplicate.value();
    s.packets_foreign = c.foreign.value();
    s.packets_concealed = c.concealed.value();
    s.jitter_ms = static_cast<double>(c.jitter_us.value()) / 1000.0;
    if (const std::uint64_t trip = c.round_trip_us.value(); trip != 0) {
        s.round_trip_ms = static_cast<double>(trip - 1) / 1000.0;
    }
    s.remote_jitter_ms = static_cast<double>(c.remote_jitter_us.value()) / 1000.0;
    s.remote_lost = static_cast<std::uint32_t>(c.remote_lost.value());
    s.ssrc = session.slot().ssrc();
    if (const std::uint64_t remote = c.remote_ssrc.value(); remote != 0) {
        s.remote_ssrc = static_cast<std::uint32_t>(remote - 1);
    }
    s.packets_missed = c.missed.value();
    s.gap_ms = static_cast<std::int64_t>(c.gap_ms.value());
    s.last_before_ms = static_cast<std::int64_t>(c.last_before_ms.value());
    return s;
}

} // namespace revenant::media
