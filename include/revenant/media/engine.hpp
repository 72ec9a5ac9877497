// The RTP edge as the rest of the program sees it: one session per call, served by one thread of
// its own. No library's type and no lock shows here; everything crosses as values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

// What a session has done so far. Counts go on over a restart where the media page kept them.
struct Statistics {
    std::uint64_t packets_sent = 0;
    std::uint64_t octets_sent = 0;
    std::uint64_t packets_received = 0;
    std::uint64_t octets_received = 0;
    std::uint64_t packets_lost = 0; // RFC 3550 §6.4.1, by sequence number, this process only
    std::uint64_t packets_late = 0; // came after their playout time
    std::uint64_t packets_duplicate = 0;
    std::uint64_t packets_foreign = 0;   // from a stranger, or no RTP, or another payload type
    std::uint64_t packets_concealed = 0; // slots played by loss concealment
    double jitter_ms = 0.0;              // RFC 3550 §6.4.1
    std::optional<double> round_trip_ms; // from RTCP (RFC 3550 §6.4.1 LSR/DLSR)
    double remote_jitter_ms = 0.0;       // as the peer's receiver reports say
    std::uint32_t remote_lost = 0;
    std::uint32_t ssrc = 0;
    std::optional<std::uint32_t> remote_ssrc;
    // Over the restart: slots in which nothing was sent because no process lived, 0 if none.
    std::uint64_t packets_missed = 0;
    std::int64_t gap_ms = 0;  // between the last packet before and the first after
    bool is_resuming = false; // nothing was sent yet since the restart: the gap is not known yet
    std::int64_t last_before_ms = 0; // that last packet, on this boot's clock; 0: none
};

// Whether `text` names a source ("silence", "tone", "tone:440", "file:PATH.wav", "echo") or a sink
// ("null", "file:PATH.wav") that can be opened now. The error says what is wrong with it.
[[nodiscard]] base::Status check_source(const std::string& text);
[[nodiscard]] base::Status check_sink(const std::string& text);

// The codecs that a call may use, in our order of preference.
[[nodiscard]] std::vector<call::Codec> supported_codecs();

// A fresh identity for a stream that starts now (RFC 3550 §5.1: random SSRC, sequence number,
// timestamp), to be stored before the first packet.
struct StreamIdentity {
    std::uint32_t ssrc = 0;
    call::Segment segment;
};

[[nodiscard]] StreamIdentity new_stream();

class Engine {
public:
    struct Settings {
        std::string page_path;          // the mmap page's file, made if it is not there
        std::uint16_t port_min = 20000; // RTP ports are even, RTCP is the next
        std::uint16_t port_max = 29999;
    };

    // Maps the page (also the one that a killed process left) and starts the thread.
    [[nodiscard]] static base::Result<std::unique_ptr<Engine>> create(const Settings& settings);
    virtual ~Engine() = default;

    // Binds an even RTP port and the next for RTCP on `address`. `port` 0: any free pair of the
    // range. The sockets belong to the session until `close`. Fails with Errc::in_use.
    [[nodiscard]] virtual base::Result<call::Endpoint>
    open(call::Number call, const std::string& address, std::uint16_t port) = 0;

    // As `open`, with sockets that outlived an earlier process (the keeper or systemd held them).
    [[nodiscard]] virtual base::Result<call::Endpoint>
    adopt(call::Number call, base::Fd rtp, base::Fd rtcp);

    // The session's sockets, to be handed to the keeper; still owned by the session.
    struct SocketNumbers {
        int rtp = -1;
        int rtcp = -1;
    };

    [[nodiscard]] virtual std::optional<SocketNumbers> sockets(call::Number call) const;

    // Starts the session, or applies a changed `media` to the running one (direction, remote
    // address, codec). A stream that the page knows goes on above its floor: the next packet is
    // max(n_at(now), last_n + 1). `open` must have succeeded. `muted`: send silence in place of
    // the source (we hold the peer).
    [[nodiscard]] virtual base::Status
    run(call::Number call, const call::Media& media, bool muted) = 0;

    // Ends the session: RTCP BYE to the peer, sinks closed, sockets closed, page slot freed.
    virtual void close(call::Number call) = 0;

    // Leaves everything in the page for the next process: no RTCP BYE, sinks flushed, thread
    // stopped. The Engine can then only be destroyed.
    virtual void detach() = 0;

    [[nodiscard]] virtual base::Result<Statistics> statistics(call::Number call) const = 0;

    // What the call's last session had done when it was closed. Kept for some hundred calls, each
    // until its number is opened again; nothing if the call never ran.
    [[nodiscard]] virtual std::optional<Statistics> final_statistics(call::Number call) const;

    // The segment as the page has it now, to be stored with the record.
    [[nodiscard]] virtual std::optional<call::Segment> segment(call::Number call) const = 0;

    // Called on the main loop, some milliseconds after the fact. `on_first_packet`: the first
    // RTP packet of the session in this process came in.
    std::function<void(call::Number)> on_first_packet;
    // The first RTP packet of the session in this process has left, and with it the gap of a stream
    // that goes on is known.
    std::function<void(call::Number)> on_sending;
    // RTP comes from another address than the description's, and ours goes there from now on.
    std::function<void(call::Number, call::Endpoint from)> on_moved;
    // A file source or sink failed; the session goes on with silence or without the sink.
    std::function<void(call::Number, std::string)> on_trouble;
};

} // namespace revenant::media
