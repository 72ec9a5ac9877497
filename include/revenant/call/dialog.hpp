// One end of one call as the journal keeps it: everything that must be known to speak for the
// dialog again after the process that began it is gone. Plain values, no behaviour.
// Stored as JSON; the format is specified in state/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "revenant/call/transport.hpp"

namespace revenant::call {

// The small number that a user types. It stays with the call over restarts, and a number in use is
// never given to another call.
using Number = std::uint32_t;
inline constexpr Number number_max = 999'999;

enum class Role : std::uint8_t { caller, callee };

// How far the call had come when it was last stored.
enum class Phase : std::uint8_t {
    inviting,    // caller: our INVITE has no final answer
    ringing,     // callee: the INVITE is not answered by us
    answered,    // callee: our 200 is not ACKed
    established, // both sides have the 2xx
    ending,      // our BYE is not answered; callee: nor is our refusal of the INVITE ACKed
};

enum class Refresher : std::uint8_t { none, local, remote };

// RFC 4028. `interval_s` 0: no timer. The deadline is when the session expires unless refreshed,
// milliseconds of real time since 1970; see also BootTimes.
struct SessionTimer {
    std::uint32_t interval_s = 0;
    std::uint32_t min_se_s = 0;
    Refresher refresher = Refresher::none;
    std::int64_t deadline_ms = 0;

    friend bool operator==(const SessionTimer&, const SessionTimer&) = default;
};

// A numeric address (no names, IPv6 without brackets) and a port; port 0: none.
struct Endpoint {
    std::string address;
    std::uint16_t port = 0;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

// A codec as SDP names it. Static types (RFC 3551) have it all implied, it is written out anyway.
struct Codec {
    std::uint8_t payload_type = 0;
    std::string name; // "PCMU", "PCMA", "telephone-event"
    std::uint32_t clock_rate = 8000;

    friend bool operator==(const Codec&, const Codec&) = default;
};

// A run of RTP packets numbered by the clock: packet n has sequence number `seq + n` and timestamp
// `ts + n * step`, and is due at `boot_ns + n * ptime`. A pause in sending ends the segment.
struct Segment {
    // Those of RTP audio that have whole units in 10 ms (RFC 3551, RFC 7587).
    static constexpr std::array<std::uint32_t, 6> clock_rates{8000,   16'000, 24'000,
                                                              32'000, 44'100, 48'000};

    std::uint16_t seq = 0;
    std::uint32_t ts = 0;
    // Units of `ts` in a second, as the codec had it by which the segment was sent: the one of now
    // may be another.
    std::uint32_t clock_rate = 8000;
    std::int64_t boot_ns = 0; // CLOCK_BOOTTIME at packet 0, valid while `boot_id` is this boot's
    std::int64_t real_ns = 0; // CLOCK_REALTIME at packet 0
    std::string boot_id;

    friend bool operator==(const Segment&, const Segment&) = default;
};

// What the two ends agreed to send each other, and where our RTP stream stands.
struct Media {
    Endpoint local;  // RTP; RTCP is the next port
    Endpoint remote; // RTP
    Endpoint remote_rtcp;
    Codec codec; // what we send, with the peer's payload type
    // What may come in: all formats of our description, and the peer's own numbers for them
    // (RFC 3264 §6.1). Empty: `codec` only.
    std::vector<Codec> receive = {};
    std::optional<Codec> telephone_event;
    std::uint32_t ptime_ms = 20;
    Direction direction = Direction::sendrecv; // ours: what we may do
    std::uint32_t ssrc = 0;
    Segment segment;    // as it was when last stored; the media page knows better
    std::string source; // "silence", "tone:440", "file:PATH.wav", "echo"
    std::string sink;   // "null", "file:PATH.wav"

    friend bool operator==(const Media&, const Media&) = default;
};

struct Hold {
    bool local = false;  // we put the peer on hold
    bool remote = false; // the peer put us on hold

    friend bool operator==(const Hold&, const Hold&) = default;
};

// Our last PRACK (RFC 3262 §4), to be said again as the same request, or not at all.
struct SentPrack {
    std::string tag = {};   // the peer's, of the early dialog
    std::uint32_t rseq = 0; // of the response that it acknowledges; 0: there is none
    std::uint32_t cseq = 0;
    bool done = false; // the peer has answered it

    friend bool operator==(const SentPrack&, const SentPrack&) = default;
};

// What was under way when the record was stored, for the state that `Phase` alone does not tell.
struct InFlight {
    std::string invite;        // callee: the INVITE as received, until our answer to it is ACKed
    std::uint32_t cseq = 0;    // of the first INVITE; caller: until its 2xx is certainly ACKed
    bool canceled = false;     // caller: the INVITE is to end with a CANCEL
    std::uint16_t status = 0;  // callee: the answer that refuses the INVITE, 0: none yet
    bool reoffer = false;      // local_sdp is offered in a re-INVITE that has no answer yet
    std::string prack = {};    // callee: the PRACK as received, until our answer is ACKed
    SentPrack prack_sent = {}; // caller
    Endpoint sent_to = {};     // caller: where the INVITE went, if a name has led there
    // Callee: until when it may ring, milliseconds of real time since 1970 (0: for ever; see also
    // BootTimes), and the answer that it gets then.
    std::int64_t ring_until_ms = 0;
    std::uint16_t ring_status = 0;

    friend bool operator==(const InFlight&, const InFlight&) = default;
};

// The instants that something is reckoned from or waited for, on the clock that never steps
// (CLOCK_BOOTTIME, milliseconds): they hold in the boot `id`. Each stands in the record beside its
// wall-clock time, which is what is left after a reboot, and means nothing where that means
// nothing.
struct BootTimes {
    static constexpr std::int64_t most_ms = std::int64_t{1} << 60; // far from overflow

    std::string id = {};
    std::int64_t established_ms = 0;
    std::int64_t deadline_ms = 0; // the session timer's
    std::int64_t ring_until_ms = 0;

    friend bool operator==(const BootTimes&, const BootTimes&) = default;
};

struct Dialog {
    Number number = 0;
    Role role = Role::caller;
    Phase phase = Phase::inviting;
    std::string account = {}; // whose call it is, by the name that the user gave it; empty: the one

    std::string call_id;
    std::string local_uri; // name-addr without tag: "\"Alice\" <sip:alice@example.org>"
    std::string local_tag;
    std::string remote_uri;
    std::string remote_tag;
    std::string local_contact;          // our Contact header field value, byte for byte
    std::string remote_target;          // a URI (RFC 3261 §12.1)
    std::vector<std::string> route_set; // name-addrs in the order of our Route header fields
    std::string outbound_proxy;         // a URI, or empty

    // No request of ours has gone out with a CSeq above this in the epoch below.
    std::uint32_t cseq_watermark = 0;
    // The start of the program (1, 2, …) in which the watermark was stored.
    std::uint32_t epoch = 0;
    std::uint32_t remote_cseq = 0;

    std::string peer_allow; // header field values as received
    std::string peer_supported;

    Transport transport = Transport::udp;
    Endpoint local_sip;
    Endpoint remote_sip; // where the peer's last message came from

    std::string local_sdp; // byte for byte as last sent
    std::string remote_sdp;
    Hold hold;
    SessionTimer timer;
    Media media;
    InFlight in_flight;

    std::int64_t started_ms = 0;     // real time of the INVITE
    std::int64_t established_ms = 0; // real time of the 2xx, 0 before
    BootTimes boot;
    std::uint32_t resumes = 0; // how many restarts this call has survived

    friend bool operator==(const Dialog&, const Dialog&) = default;
};

} // namespace revenant::call
