// One call's RTP and RTCP, as the media thread serves it: takes what has come, plays a frame,
// sends the packet that is due.
//
// Owned by the main thread, which builds it and destroys it when the media thread has handed it
// back; in between only the media thread touches it, except for `counters`, which anybody reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "media/audio/codec.hpp"
#include "media/audio/concealer.hpp"
#include "media/audio/sources_and_sinks.hpp"
#include "media/mailbox.hpp"
#include "media/plan.hpp"
#include "media/rates.hpp"
#include "media/rtp/jitter_buffer.hpp"
#include "media/rtp/latch.hpp"
#include "media/rtp/numbering.hpp"
#include "media/rtp/page.hpp"
#include "media/rtp/reception.hpp"
#include "media/rtp/rtcp.hpp"
#include "media/rtp/rtp.hpp"
#include "media/rtp/sockets.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

class Session;
struct Command;

// From the media thread to the main loop.
struct Notice {
    enum class Kind : std::uint8_t {
        first_packet,
        first_sent, // by this process; what the restart has cost the stream is counted
        moved,      // the peer sends from elsewhere than agreed
        source_failed,
        sink_failed,
        retired,
        command_done
    };

    Kind kind = Kind::first_packet;
    int error = 0;
    Session* session = nullptr; // null for command_done
    Command* command = nullptr; // only for command_done
    Notice* next = nullptr;
    std::atomic<bool> under_way{false}; // posted and not yet taken; it is not posted again then
};

// One writer, any reader: each number is whole. Who has read one reads in the others at least what
// the writer had set before it.
class Counter {
public:
    void add(std::uint64_t count = 1) { set(value() + count); }

    void set(std::uint64_t value) { value_.store(value, std::memory_order_release); }

    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_acquire); }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct Counters {
    Counter received, received_octets, lost, late, duplicate, foreign, concealed;
    Counter jitter_us, remote_jitter_us, remote_lost;
    Counter round_trip_us; // plus one; 0: unknown
    Counter remote_ssrc;   // plus one; 0: unknown
    Counter missed, gap_ms;
    Counter last_before_ms; // on the boot clock, also from before the boot; 0: none
    Counter resuming;       // 1 until the first packet after a restart
};

// What the media thread needs once, not per session.
struct Workspace {
    explicit Workspace(Mailbox<Notice>& notices_to) : notices{notices_to} {}

    Mailbox<Notice>& notices; // outlives the thread
    Receiver receiver;
    JitterBuffer::Frame frame;
    std::array<std::int16_t, packet_samples_max> heard{};
    std::array<std::int16_t, packet_samples_max> spoken{};
    std::array<std::uint8_t, rtp_header_size + packet_samples_max> packet{}; // an octet a sample
    std::array<std::uint8_t, rtcp_size_max> report{};
};

class Session {
public:
    // `slot` stays mapped, and the sockets stay open, until the session is destroyed. `boot` as
    // in the page; `random` seeds the RTCP intervals.
    Session(call::Number call,
            const SocketPair& sockets,
            Slot& slot,
            std::uint64_t boot,
            std::uint32_t random);

    [[nodiscard]] call::Number call() const { return call_; }

    [[nodiscard]] Slot& slot() const { return slot_; }

    // The first `apply` starts the session. Returns the tick in which it wants to be served.
    std::int64_t apply(Plan& plan, const base::Now& now, Workspace& workspace);
    // Everything for one slot; returns the tick of the next.
    std::int64_t serve(const base::Now& now, Workspace& workspace);
    // RTCP BYE: the peer shall not wait for more.
    void say_bye(const base::Now& now, Workspace& workspace);

    Counters counters;
    Notice first_packet, first_sent, moved, source_failed, sink_failed, retired;

    Session* wheel_next = nullptr;
    Session* wheel_previous = nullptr;
    std::int64_t wheel_tick = 0;

private:
    // So many batches of 16 datagrams are taken in one slot, lest a flood on one port starve the
    // rest.
    static constexpr int batches_max = 20;

    void begin_run(const base::Now& now);
    void change_sending(bool sending, bool numbering_changed, const base::Now& now);
    [[nodiscard]] std::int64_t tick_after(const base::Now& now) const;

    void receive(const base::Now& now, Workspace& workspace);
    void take(const Datagram& datagram, const base::Now& now, Workspace& workspace);
    [[nodiscard]] bool from_peer(const Address& from,
                                 const RtpHeader& header,
                                 const base::Now& now,
                                 Workspace& workspace);

    void play(Workspace& workspace);
    [[nodiscard]] ConstSamples assemble(Workspace& workspace);
    void skip_frames(std::int64_t count, Workspace& workspace);
    void sink_result(int error, Workspace& workspace);

    void send_due(const base::Now& now, Workspace& workspace);
    void note_restart(std::uint64_t next, const base::Now& now);
    void send_packet(std::uint64_t index, const base::Now& now, Workspace& workspace);

    void receive_rtcp(const base::Now& now, Workspace& workspace);
    void take_rtcp(const Datagram& datagram);
    [[nodiscard]] Address rtcp_target() const;
    void send_rtcp(const base::Now& now, Workspace& workspace, bool bye);
    [[nodiscard]] std::uint32_t next_random();

    call::Number call_;
    int rtp_socket_;
    int rtcp_socket_;
    Slot& slot_;
    std::uint64_t boot_;
    std::uint32_t ssrc_;

    Plan plan_;
    bool started_ = false;

    // Sending.
    bool sending_ = false;
    bool marker_ = false;
    bool resuming_ = false; // nothing was sent yet, but an earlier process had
    bool spoken_ = false;
    Run run_;
    std::uint64_t last_index_ = 0;
    std::int64_t serve_tick_ = 0;
    std::uint32_t served_ = 0;

    struct Incoming {
        bool heard = false;
        Latch latch;
        Reception reception;
        JitterBuffer buffer;
        Concealer concealer;
    };

    struct Rtcp {
        std::array<char, 20> cname{};
        std::size_t cname_size = 0;
        Address from{};                         // where the last came from
        std::uint64_t reported_packets[2] = {}; // as of the last two reports
        std::int64_t next_report_ns = 0;
        std::uint32_t random = 1;
        std::uint32_t last_sr = 0;
        std::uint64_t last_sr_arrival_ntp = 0;
    };

    Incoming in_;
    Rtcp rtcp_;
};

} // namespace revenant::media
