// A session's RTCP: what it reports of itself, and what the peer reports (RFC 3550 §6).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "media/rtp/rtcp.hpp"
#include "media/session.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::media {

std::uint32_t Session::next_random() {
    // xorshift32: it only has to keep calls from reporting in step (RFC 3550 §6.2).
    rtcp_.random ^= rtcp_.random << 13U;
    rtcp_.random ^= rtcp_.random >> 17U;
    rtcp_.random ^= rtcp_.random << 5U;
    return rtcp_.random;
}

void Session::receive_rtcp(const base::Now& now, Workspace& workspace) {
    for (int i = 0; i < batches_max; ++i) {
        const auto datagrams = workspace.receiver.receive(rtcp_socket_, now);
        for (const Datagram& datagram : datagrams) {
            take_rtcp(datagram);
        }
        if (datagrams.size() < Receiver::batch) {
            return;
        }
    }
}

// The next port, or where RTCP comes from, of a peer that is elsewhere than agreed.
Address Session::rtcp_target() const {
    const auto& elsewhere = in_.latch.elsewhere();
    if (!elsewhere || elsewhere->same_host(plan_.remote_rtcp)) {
        return plan_.remote_rtcp;
    }
    if (rtcp_.from.valid() && rtcp_.from.same_host(*elsewhere)) {
        return rtcp_.from;
    }
    Address next = *elsewhere;
    next.set_port(static_cast<std::uint16_t>(next.port() + 1));
    return next;
}

void Session::take_rtcp(const Datagram& datagram) {
    const bool known =
        datagram.from.same_host(plan_.remote_rtcp) || datagram.from.same_host(in_.latch.target());
    const auto news =
        known && !datagram.truncated ? parse_rtcp(datagram.bytes, ssrc_) : std::nullopt;
    if (!news) {
        counters.foreign.add();
        return;
    }
    rtcp_.from = datagram.from;
    // Its BYE changes nothing here: whether the call goes on is for SIP to say.
    const std::uint64_t arrival_ntp = to_ntp(base::unstepped_ns(datagram.arrival_boot_ns));
    if (news->sender) {
        rtcp_.last_sr = ntp_middle(news->sender->ntp);
        rtcp_.last_sr_arrival_ntp = arrival_ntp;
    }
    if (news->about_us) {
        counters.remote_jitter_us.set(microseconds_of(news->about_us->jitter, plan_.clock_rate));
        counters.remote_lost.set(static_cast<std::uint64_t>(std::max(news->about_us->lost, 0)));
        if (const auto trip = round_trip_ms(*news->about_us, arrival_ntp)) {
            counters.round_trip_us.set(static_cast<std::uint64_t>(*trip * 1000) + 1);
        }
    }
}

void Session::send_rtcp(const base::Now& now, Workspace& workspace, bool bye) {
    const Address target = rtcp_target();
    if (!plan_.remote_rtcp.valid() || !target.valid()) {
        return;
    }
    RtcpReport report;
    report.ssrc = ssrc_;
    report.cname = std::string_view{rtcp_.cname.data(), rtcp_.cname_size};
    report.bye = bye;
    // Not the wall clock itself: a step between a report and the one that answers it would be in
    // the round trip, and between two reports in the peer's idea of our rate.
    const std::uint64_t ntp = to_ntp(base::unstepped_ns(now.boot_ns));
    // A sender is who has sent since its last but one report (RFC 3550 §6.4).
    if (slot_.packets() != rtcp_.reported_packets[1]) {
        report.sender = SenderInfo{.ntp = ntp,
                                   .rtp_timestamp = timestamp_at(run_, now.boot_ns),
                                   .packets = static_cast<std::uint32_t>(slot_.packets()),
                                   .octets = static_cast<std::uint32_t>(slot_.octets())};
    }
    rtcp_.reported_packets[1] = std::exchange(rtcp_.reported_packets[0], slot_.packets());
    report.block = in_.reception.report();
    if (report.block && rtcp_.last_sr != 0) {
        report.block->last_sr = rtcp_.last_sr;
        report.block->delay_since_sr =
            static_cast<std::uint32_t>((ntp - rtcp_.last_sr_arrival_ntp) >> 16U);
    }
    const std::size_t size = write_rtcp(report, workspace.report);
    send_datagram(rtcp_socket_, Bytes{workspace.report}.first(size), target);
}

void Session::say_bye(const base::Now& now, Workspace& workspace) {
    send_rtcp(now, workspace, true);
}

} // namespace revenant::media
