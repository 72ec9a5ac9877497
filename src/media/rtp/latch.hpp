// Which of those who send to our port is the peer (symmetric RTP): a peer behind a NAT does not
// send from the address in its description. Pure: addresses, headers and times come in as values.
//
// 1. Who sends from the agreed address is the peer, always, and ends every exception.
// 2. As long as nobody has been the peer, another source becomes it with packets in sequence and of
//    one SSRC: two from the agreed host, five from another.
// 3. Once there was a peer, another source takes its place only after a second of silence and only
//    with the same stream (its SSRC, its sequence going on): the NAT has given the peer another
//    port. After three seconds also with a new stream, but only from a host that the peer had or
//    was to have.
// So nobody can get into a stream that runs, and nobody who has not seen it into one that pauses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "media/rtp/rtp.hpp"
#include "media/rtp/sockets.hpp"

namespace revenant::media {

class Latch {
public:
    static constexpr std::int64_t silence_ns = 1'000'000'000;
    static constexpr std::int64_t long_silence_ns = 3'000'000'000;
    static constexpr std::uint32_t packets_same_host = 2;
    static constexpr std::uint32_t packets_other_host = 5;

    enum class Verdict : std::uint8_t {
        peer,     // the peer's
        moved,    // the peer's, which sends from elsewhere from now on: `elsewhere`
        returned, // the peer's, from the agreed address for the first time, or again
        stranger, // not to be taken
    };

    // A description of the peer's names this address: all begins anew.
    void agree(const Address& agreed);
    // Where an earlier process had heard the peer last: from the start nobody else is believed
    // there.
    void resume(const Address& heard_from, std::int64_t now_ns);

    [[nodiscard]] Verdict judge(const Address& from, const RtpHeader& header, std::int64_t now_ns);

    // Where the peer really is, if that is not where it should be.
    [[nodiscard]] const std::optional<Address>& elsewhere() const { return elsewhere_; }

    // Where ours goes.
    [[nodiscard]] const Address& target() const { return elsewhere_ ? *elsewhere_ : agreed_; }

private:
    // Who may become the peer. Several, lest one who sends in between keep another from it.
    struct Candidate {
        Address from;
        std::uint32_t ssrc = 0;
        std::uint16_t next = 0;
        std::uint32_t count = 0;
    };

    void note(const RtpHeader& header, std::int64_t now_ns);
    [[nodiscard]] bool
    may_follow(const Address& from, const RtpHeader& header, std::int64_t now_ns) const;
    [[nodiscard]] std::uint32_t in_sequence(const Address& from, const RtpHeader& header);

    Address agreed_;
    std::optional<Address> elsewhere_;
    std::array<Candidate, 4> candidates_{};
    std::size_t next_candidate_ = 0;
    // Of the peer's last packet.
    bool heard_ = false;
    std::optional<std::uint32_t> ssrc_;
    std::uint16_t sequence_ = 0;
    std::int64_t at_ns_ = 0;
};

} // namespace revenant::media
