#include "media/session.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace revenant::media {

namespace {

// After a stall of the machine this many packets are sent at once, as the peer's buffer still
// waits for them; of a longer one only the newest, and the rest are lost.
constexpr std::uint64_t burst_max = 5;
constexpr std::uint32_t rtcp_every = 8; // RTCP's time of arrival is the kernel's, so it can wait

void post(Notice& notice, int error, Workspace& workspace) {
    if (!notice.under_way.exchange(true, std::memory_order_acq_rel)) {
        notice.error = error;
        workspace.notices.post(&notice);
    }
}

std::int64_t tick_of(std::int64_t boot_ns) {
    return boot_ns / grid_ns;
}

} // namespace

Session::Session(call::Number call,
                 const SocketPair& sockets,
                 Slot& slot,
                 std::uint64_t boot,
                 std::uint32_t random)
    : call_{call}, rtp_socket_{sockets.rtp.get()}, rtcp_socket_{sockets.rtcp.get()}, slot_{slot},
      boot_{boot}, ssrc_{slot.ssrc()}, run_{slot.run().value_or(Run{})},
      last_index_{slot.last_index()}, rtcp_{.random = random | 1U} {
    first_packet.kind = Notice::Kind::first_packet;
    first_sent.kind = Notice::Kind::first_sent;
    moved.kind = Notice::Kind::moved;
    source_failed.kind = Notice::Kind::source_failed;
    sink_failed.kind = Notice::Kind::sink_failed;
    retired.kind = Notice::Kind::retired;
    for (Notice* notice :
         {&first_packet, &first_sent, &moved, &source_failed, &sink_failed, &retired}) {
        notice->session = this;
    }
    // The same after a restart, since it is the peer's way to know the stream's owner (RFC 7022).
    const auto end =
        fmt::format_to_n(rtcp_.cname.data(), rtcp_.cname.size(), "{:08x}@revenant", ssrc_);
    rtcp_.cname_size = std::min(end.size, rtcp_.cname.size());
    marker_ = last_index_ == 0;
    resuming_ = last_index_ != 0;
    counters.resuming.set(resuming_ ? 1 : 0);
}

// ---- changes of plan

std::int64_t Session::tick_after(const base::Now& now) const {
    const std::int64_t phase = tick_of(run_.boot_ns) % (plan_.period_ns / grid_ns);
    return tick_of(next_in_phase(now.boot_ns, phase, plan_.period_ns));
}

// A run that begins in this session's next slot.
void Session::begin_run(const base::Now& now) {
    run_ = next_run(run_, last_index_, tick_after(now) * grid_ns, now, plan_.step, plan_.period_ns);
    slot_.set_run(run_, boot_);
}

void Session::change_sending(bool sending, bool numbering_changed, const base::Now& now) {
    const bool was_paused = started_ ? !sending_ : slot_.paused();
    sending_ = sending;
    if (!sending) {
        if (!was_paused) {
            slot_.set_paused();
        }
        return;
    }
    // A floor far above what the clock says (it was set back while we were dead) would mean a
    // long silence: the numbers go on from the floor instead, and the time from now.
    const bool clock_behind =
        static_cast<std::int64_t>(last_index_) > index_at(run_, now.boot_ns) + 2 &&
        last_index_ >= run_.index;
    if (was_paused || numbering_changed || clock_behind) {
        begin_run(now);
        marker_ = marker_ || was_paused;
        resuming_ = resuming_ && !was_paused; // a pause is no gap
        counters.resuming.set(resuming_ ? 1 : 0);
    }
}

std::int64_t Session::apply(Plan& plan, const base::Now& now, Workspace& workspace) {
    const bool numbering_changed = plan.step != run_.step || plan.period_ns != run_.period_ns ||
                                   (started_ && plan.codec != plan_.codec);
    const bool remote_changed = !(plan.remote == plan_.remote);
    if (!plan.new_source) {
        std::swap(plan.source, plan_.source);
    }
    if (!plan.new_sink) {
        std::swap(plan.sink, plan_.sink);
    }
    std::swap(plan, plan_); // and the old one goes back to be destroyed
    if (remote_changed) {
        in_.latch.agree(plan_.remote);
        rtcp_.from = {};
        if (const auto known = slot_.latch(plan_.remote)) {
            in_.latch.resume(*known, now.boot_ns);
        }
    }
    if (!plan_.may_receive) {
        in_.buffer.reset();
    }
    in_.buffer.keep_payload(plan_.sink != nullptr || plan_.source->listens());
    change_sending(plan_.may_send && plan_.remote.valid(), numbering_changed, now);
    if (plan_.new_source && started_) {
        slot_.set_origin(timestamp_at(run_, tick_after(now) * grid_ns));
    }
    const bool same_pace = started_ && plan.period_ns == plan_.period_ns; // `plan` is the old one
    if (!started_) {
        started_ = true;
        rtcp_.next_report_ns = now.boot_ns + rtcp_interval_ns(next_random()) / 2;
        send_due(now, workspace);
    }
    if (!same_pace) {
        serve_tick_ = tick_after(now);
    }
    return serve_tick_;
}

std::int64_t Session::serve(const base::Now& now, Workspace& workspace) {
    const std::int64_t period = plan_.period_ns / grid_ns;
    const std::int64_t skipped =
        std::max<std::int64_t>((tick_of(now.boot_ns) - serve_tick_) / period, 0);
    receive(now, workspace);
    if (skipped > 0) {
        skip_frames(skipped, workspace);
    }
    play(workspace);
    send_due(now, workspace);
    const bool report_due = now.boot_ns >= rtcp_.next_report_ns;
    if (served_++ % rtcp_every == 0 || report_due) {
        receive_rtcp(now, workspace);
    }
    if (report_due) {
        rtcp_.next_report_ns = now.boot_ns + rtcp_interval_ns(next_random());
        send_rtcp(now, workspace, false);
    }
    serve_tick_ += (skipped + 1) * period;
    return serve_tick_;
}

// ---- receiving

// While the peer is to send nothing, nobody becomes the peer.
bool Session::from_peer(const Address& from,
                        const RtpHeader& header,
                        const base::Now& now,
                        Workspace& workspace) {
    if (!plan_.may_receive && !(from == plan_.remote) && !(from == in_.latch.target())) {
        return false;
    }
    const Latch::Verdict verdict = in_.latch.judge(from, header, now.boot_ns);
    if (verdict == Latch::Verdict::moved || verdict == Latch::Verdict::returned) {
        slot_.set_latch(plan_.remote, in_.latch.target());
    }
    if (verdict == Latch::Verdict::moved) {
        post(moved, 0, workspace);
    }
    return verdict != Latch::Verdict::stranger;
}

void Session::take(const Datagram& datagram, const base::Now& now, Workspace& workspace) {
    const auto packet = datagram.truncated ? std::nullopt : parse_rtp(datagram.bytes);
    const std::uint8_t format =
        packet ? plan_.receive[packet->header.payload_type] : Plan::not_agreed;
    const bool is_media = format != Plan::not_agreed;
    const bool is_event = packet && packet->header.payload_type == plan_.event_type;
    if ((!is_media && !is_event) || !from_peer(datagram.from, packet->header, now, workspace)) {
        counters.foreign.add();
        return;
    }
    const RtpHeader& header = packet->header;
    counters.received.add();
    counters.received_octets.add(packet->payload.size());
    const auto arrival_units =
        static_cast<std::uint32_t>(units_in(datagram.arrival_boot_ns, plan_.clock_rate));
    switch (in_.reception.receive(header.ssrc, header.sequence, header.timestamp, arrival_units)) {
    case Reception::Verdict::duplicate: counters.duplicate.add(); return;
    case Reception::Verdict::suspicious: return;
    case Reception::Verdict::restarted: in_.buffer.reset(); break;
    case Reception::Verdict::next:
    case Reception::Verdict::reordered: break;
    }
    if (!is_media || !plan_.may_receive || packet->payload.empty()) {
        return;
    }
    switch (in_.buffer.put(header.timestamp, packet->payload, format)) {
    case JitterBuffer::Put::stored: break;
    case JitterBuffer::Put::late: counters.late.add(); break;
    case JitterBuffer::Put::oversized: counters.foreign.add(); break;
    }
}

void Session::receive(const base::Now& now, Workspace& workspace) {
    bool any = false;
    for (int i = 0; i < batches_max; ++i) {
        const auto datagrams = workspace.receiver.receive(rtp_socket_, now);
        for (const Datagram& datagram : datagrams) {
            take(datagram, now, workspace);
        }
        any = any || !datagrams.empty();
        if (datagrams.size() < Receiver::batch) {
            break;
        }
    }
    if (any && in_.reception.started()) {
        counters.lost.set(in_.reception.lost());
        counters.jitter_us.set(microseconds_of(in_.reception.jitter_units(), plan_.clock_rate));
        counters.remote_ssrc.set(std::uint64_t{in_.reception.ssrc()} + 1);
    }
    // Counted first, then told: who is told looks at the counters.
    if (!in_.heard && counters.received.value() > 0) {
        in_.heard = true;
        post(first_packet, 0, workspace);
    }
}

// ---- playing

ConstSamples Session::assemble(Workspace& workspace) {
    const Samples out = Samples{workspace.heard}.first(plan_.step);
    if (!workspace.frame.playing) {
        std::ranges::fill(out, std::int16_t{0});
        return out;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < workspace.frame.count; ++i) {
        const JitterBuffer::Piece& piece = workspace.frame.pieces[i];
        const Samples part = out.subspan(at, piece.samples);
        if (piece.gap) {
            in_.concealer.fill(part);
        } else {
            codec_table()[piece.format].decode(piece.encoded, part);
            in_.concealer.heard(part);
        }
        at += piece.samples;
    }
    return out;
}

void Session::play(Workspace& workspace) {
    in_.buffer.play(plan_.step, workspace.frame);
    if (workspace.frame.playing && workspace.frame.concealed) {
        counters.concealed.add();
    }
    const bool listens = plan_.source->listens();
    if (plan_.sink == nullptr && !listens) {
        return; // nobody hears it: not decoded
    }
    const ConstSamples pcm = assemble(workspace);
    if (listens) {
        plan_.source->hear(pcm);
    }
    if (plan_.sink != nullptr) {
        sink_result(plan_.sink->write(pcm), workspace);
    }
}

// The thread came `count` slots late. A few frames are played late; after more, a recording gets
// silence so that its time line holds.
void Session::skip_frames(std::int64_t count, Workspace& workspace) {
    if (count <= static_cast<std::int64_t>(burst_max)) {
        for (std::int64_t i = 0; i < count; ++i) {
            play(workspace);
        }
        return;
    }
    in_.buffer.reset();
    if (plan_.sink != nullptr) {
        sink_result(plan_.sink->silence(static_cast<std::uint64_t>(count) * plan_.step), workspace);
    }
}

void Session::sink_result(int error, Workspace& workspace) {
    if (error != 0) {
        plan_.sink.reset();
        in_.buffer.keep_payload(plan_.source->listens());
        post(sink_failed, error, workspace);
    }
}

// ---- sending

void Session::note_restart(std::uint64_t next, const base::Now& now) {
    resuming_ = false;
    const base::Now last = slot_.last_sent();
    counters.missed.set(next - last_index_ - 1);
    // The page tells it in this boot's clock, also after a reboot.
    const std::int64_t gap_ns = std::max<std::int64_t>(now.boot_ns - last.boot_ns, 0);
    counters.last_before_ms.set(static_cast<std::uint64_t>(now.boot_ms() - gap_ns / 1'000'000));
    counters.gap_ms.set(static_cast<std::uint64_t>(gap_ns / 1'000'000));
    counters.resuming.set(0); // the last: it says that the others hold
}

void Session::send_due(const base::Now& now, Workspace& workspace) {
    if (!sending_) {
        return;
    }
    const std::int64_t newest_due = index_at(run_, now.boot_ns);
    if (newest_due < static_cast<std::int64_t>(run_.index)) {
        return; // the run begins in a later slot
    }
    const auto newest = static_cast<std::uint64_t>(newest_due);
    std::uint64_t next = std::max(last_index_ + 1, run_.index);
    if (next > newest) {
        return;
    }
    if (resuming_ || newest - next >= burst_max) {
        next = newest;
    }
    if (resuming_) {
        note_restart(next, now);
    }
    for (; next <= newest; ++next) {
        send_packet(next, now, workspace);
    }
    if (!std::exchange(spoken_, true)) {
        post(first_sent, 0, workspace);
    }
}

void Session::send_packet(std::uint64_t index, const base::Now& now, Workspace& workspace) {
    const std::uint32_t timestamp = timestamp_of(run_, index);
    const std::uint32_t position = timestamp - slot_.origin();
    const MutableBytes packet = MutableBytes{workspace.packet}.first(rtp_header_size + run_.step);
    const MutableBytes payload = packet.subspan(rtp_header_size);
    if (plan_.muted) {
        std::ranges::fill(payload, plan_.codec->silence);
    } else if (!plan_.source->encoded(*plan_.codec, position, payload)) {
        const Samples pcm = Samples{workspace.spoken}.first(run_.step);
        if (const int error = plan_.source->read(position, pcm); error != 0) {
            post(source_failed, error, workspace);
        }
        plan_.codec->encode(pcm, payload);
    }
    write_rtp_header({.marker = std::exchange(marker_, false),
                      .payload_type = plan_.payload_type,
                      .sequence = static_cast<std::uint16_t>(index),
                      .timestamp = timestamp,
                      .ssrc = ssrc_},
                     packet);
    last_index_ = index;
    slot_.about_to_send(index, payload.size(), now);
    send_datagram(rtp_socket_, packet, in_.latch.target());
}

} // namespace revenant::media
