#include "media/plan.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace revenant::media {

using base::Errc;

namespace {

// Without the page we do not know what was sent last; after so many packets more than the clock
// allows for, nothing is sent twice even if the clock was set back a little.
constexpr std::uint64_t margin_ns = 1'000'000'000;

bool is_of_this_boot(const call::Segment& segment) {
    return !segment.boot_id.empty() && segment.boot_id == base::boot_id();
}

} // namespace

namespace {

// A number that two formats claim is the first's; what we have no codec for is not taken.
void take_format(Plan& plan, const call::Codec& format) {
    const CodecRow* const row = find_codec(format);
    std::uint8_t& place = plan.receive[format.payload_type & 0x7fU];
    if (row != nullptr && place == Plan::not_agreed) {
        place = static_cast<std::uint8_t>(row - codec_table().data());
    }
}

} // namespace

base::Result<Plan> make_plan(call::Number number, const call::Media& media) {
    Plan plan;
    plan.codec = find_codec(media.codec);
    if (plan.codec == nullptr) {
        return base::fail(Errc::unsupported, fmt::format("call {}: there is no codec {}/{}", number,
                                                         media.codec.name, media.codec.clock_rate));
    }
    if (media.ptime_ms < packet_ms_min || media.ptime_ms > packet_ms_max ||
        media.ptime_ms % packet_ms_min != 0) {
        return base::fail(Errc::unsupported,
                          fmt::format("call {}: packets of {} ms are not possible, {} to {} are",
                                      number, media.ptime_ms, packet_ms_min, packet_ms_max));
    }
    auto rtcp = media.remote_rtcp;
    if (rtcp.address.empty() || rtcp.port == 0) {
        rtcp = media.remote;
        rtcp.port = static_cast<std::uint16_t>(rtcp.port == 0 ? 0 : rtcp.port + 1);
    }
    const auto remote = Address::parse(media.remote);
    const auto remote_rtcp = Address::parse(rtcp);
    if (!remote || !remote_rtcp) {
        return base::fail(Errc::bad_input,
                          fmt::format("call {}: the peer's media address is not numeric", number));
    }
    plan.remote = *remote;
    plan.remote_rtcp = *remote_rtcp;
    plan.payload_type = media.codec.payload_type & 0x7fU;
    for (const call::Codec& format : media.receive) {
        take_format(plan, format);
    }
    take_format(plan, media.codec);
    if (media.telephone_event) {
        plan.event_type = media.telephone_event->payload_type;
    }
    plan.clock_rate = plan.codec->clock_rate;
    plan.step = media.ptime_ms * plan.clock_rate / 1000;
    plan.period_ns = std::int64_t{media.ptime_ms} * 1'000'000;
    using enum call::Direction;
    plan.may_send = media.direction == sendrecv || media.direction == sendonly;
    plan.may_receive = media.direction == sendrecv || media.direction == recvonly;
    return plan;
}

bool is_older(const call::Segment& segment, const base::Now& opened_at) {
    return !is_of_this_boot(segment) || segment.boot_ns < opened_at.boot_ns;
}

Run first_run(const call::Segment& segment,
              const Plan& plan,
              bool is_unsure,
              std::int64_t phase,
              const base::Now& now) {
    Run run{.index = first_index(segment.seq),
            .timestamp = segment.ts,
            .step = static_cast<std::uint32_t>(units_in(plan.period_ns, segment.clock_rate)),
            .boot_ns = segment.boot_ns,
            .real_ns = segment.real_ns,
            .period_ns = plan.period_ns};
    const std::int64_t begin = next_in_phase(now.boot_ns, phase, plan.period_ns);
    if (is_unsure) {
        if (!is_of_this_boot(segment)) {
            run = rebased(run, now);
        }
        const auto newest =
            std::max(index_at(run, now.boot_ns), static_cast<std::int64_t>(run.index));
        const std::uint64_t floor = static_cast<std::uint64_t>(newest) +
                                    margin_ns / static_cast<std::uint64_t>(plan.period_ns);
        // Timestamps by the clock without the margin, or the peer would play a second late.
        const std::uint32_t timestamp =
            begin > run.boot_ns ? timestamp_at(run, begin) : timestamp_of(run, floor + 1);
        run.index = floor + 1;
        run.timestamp = timestamp;
    }
    run.step = plan.step; // the segment's may have been another
    run.boot_ns = begin;
    run.real_ns = now.real_ns + (begin - now.boot_ns);
    return run;
}

} // namespace revenant::media
