// Offer and answer (RFC 3264) for one audio stream: pure text and values. Our own descriptions are
// written here byte for byte and never reshaped later, so that what the journal stores is what the
// peer has seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::call {

// One m= line of the peer's description, as the SDP reader found it.
struct RemoteStream {
    std::string media;   // "audio", "video", …
    std::string profile; // "RTP/AVP"
    std::string formats; // the rest of the m= line, to be repeated when we reject the stream
    Endpoint rtp;        // port 0: rejected or disabled
    Endpoint rtcp;
    Direction direction = Direction::sendrecv; // as seen from the peer
    std::vector<Codec> codecs;                 // in the peer's order
    std::uint32_t ptime_ms = 0;                // how long it wants packets to be; 0: not said
    std::uint32_t maxptime_ms = 0;             // and how long they may be; 0: not said

    friend bool operator==(const RemoteStream&, const RemoteStream&) = default;
};

struct RemoteSession {
    std::string text; // byte for byte as received
    std::vector<RemoteStream> streams;

    friend bool operator==(const RemoteSession&, const RemoteSession&) = default;
};

// Our first description in a dialog. The o= id is `session_id`, its version 1 more than nothing
// sent yet.
[[nodiscard]] std::string write_offer(std::uint64_t session_id,
                                      const Endpoint& local,
                                      const std::vector<Codec>& codecs,
                                      std::uint32_t ptime_ms,
                                      Direction direction);

// Packets are this long unless the peer wants others.
inline constexpr std::uint32_t ptime_default_ms = 20;

struct Negotiated {
    std::string local_sdp;
    Media media;
};

// Our answer to the peer's offer. `previous_sdp` is our last description in this dialog (its o=
// line goes on, version + 1 if anything differs), empty if there is none; then `session_id` is
// used. `wanted` is what we would do if the peer let us (sendonly while we hold it). `media` brings
// the local endpoint and stream identity and keeps them. Each stream of the offer gets its line:
// the first that can be taken is, all others are refused (RFC 3264 §6). Errc::unsupported: none can
// be, to be refused with 488.
[[nodiscard]] base::Result<Negotiated> answer_offer(const RemoteSession& offer,
                                                    const Media& media,
                                                    const std::vector<Codec>& codecs,
                                                    Direction wanted,
                                                    std::uint64_t session_id,
                                                    std::string_view previous_sdp);

// What the peer's answer to our offer `local_sdp` makes of `media`. Errc::unsupported when it
// accepts nothing that we offered.
[[nodiscard]] base::Result<Media> apply_answer(const RemoteSession& answer,
                                               const Media& media,
                                               const std::vector<Codec>& codecs,
                                               std::string_view local_sdp);

// The same description with another direction for its audio stream and the version one higher
// (RFC 3264 §8).
[[nodiscard]] std::string redirect(std::string_view local_sdp, Direction direction);

// The peer's description as it would answer an offer of ours with direction `offered`: only the
// direction differs. For an offer whose real answer is not known.
[[nodiscard]] std::string as_answer(std::string_view remote_sdp, Direction offered);

// The direction that the audio stream of one of our own descriptions has.
[[nodiscard]] Direction direction_of(std::string_view local_sdp);

// RFC 3264 §6.1: what an answerer that wants `wanted` may do when the offer says `offered`.
[[nodiscard]] Direction answer_direction(Direction wanted, Direction offered);

[[nodiscard]] constexpr bool sends(Direction d) {
    return d == Direction::sendrecv || d == Direction::sendonly;
}

[[nodiscard]] constexpr bool receives(Direction d) {
    return d == Direction::sendrecv || d == Direction::recvonly;
}

[[nodiscard]] constexpr Direction direction(bool send, bool receive) {
    return send ? (receive ? Direction::sendrecv : Direction::sendonly)
                : (receive ? Direction::recvonly : Direction::inactive);
}

[[nodiscard]] std::string_view name(Direction d);

} // namespace revenant::call
