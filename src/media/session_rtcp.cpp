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
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 17U;
    random_ ^= random_ << 5U;
    return random_;
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
    const auto& elsewhere = latch_.elsewhere();
    if (!elsewhere || elsewhere->same_host(plan_.remote_rtcp)) {
        return plan_.remote_rtcp;
    }
    if (rtcp_from_.valid() && rtcp_from_.same_host(*elsewhere)) {
        return rtcp_from_;
    }
    Address next = *elsewhere;
    next.set_port(static_cast<std::uint16_t>(next.port() + 1));
    return next;
}

void Session::take_rtcp(const Datagram& datagram) {
    const bool known =
        datagram.from.same_host(plan_.remote_rtcp) || datagram.from.same_host(latch_.target());
    const auto news =
        known && !datagram.truncated ? parse_rtcp(datagram.bytes, ssrc_) : std::nullopt;
    if (!news) {
        counters.foreign.add();
        return;
    }
    rtcp_from_ = datagram.from;
    // Its BYE changes nothing here: whether the call goes on is for SIP to say.
    const std::uint64_t arrival_ntp = to_ntp(base::unstepped_ns(datagram.arrival_boot_ns));
    if (news->sender) {
        last_sr_ = ntp_middle(news->sender->ntp);
        last_sr_arrival_ntp_ = arrival_ntp;
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
    report.cname = std::string_view{cname_.data(), cname_size_};
    report.bye = bye;
    // Not the wall clock itself: a step between a report and the one that answers it would be in
    // the round trip, and between two reports in the peer's idea of our rate.
    const std::uint64_t ntp = to_ntp(base::unstepped_ns(now.boot_ns));
    // A sender is who has sent since its last but one report (RFC 3550 §6.4).
    if (slot_.packets() != reported_packets_[1]) {
        report.sender = SenderInfo{.ntp = ntp,
                                   .rtp_timestamp = timestamp_at(run_, now.boot_ns),
                                   .packets = static_cast<std::uint32_t>(slot_.packets()),
                                   .octets = static_cast<std::uint32_t>(slot_.octets())};
    }
    reported_packets_[1] = std::exchange(reported_packets_[0], slot_.packets());
    report.block = reception_.report();
    if (report.block && last_sr_ != 0) {
        report.block->last_sr = last_sr_;
        report.block->delay_since_sr =
            static_cast<std::uint32_t>((ntp - last_sr_arrival_ntp_) >> 16U);
    }
    const std::size_t size = write_rtcp(report, workspace.report);
    send_datagram(rtcp_socket_, Bytes{workspace.report}.first(size), target);
}

void Session::say_bye(const base::Now& now, Workspace& workspace) {
    send_rtcp(now, workspace, true);
}

} // namespace revenant::media
