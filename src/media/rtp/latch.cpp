#include "media/rtp/latch.hpp"

#include <algorithm>

namespace revenant::media {

void Latch::agree(const Address& agreed) {
    *this = Latch{};
    agreed_ = agreed;
}

void Latch::resume(const Address& heard_from, std::int64_t now_ns) {
    elsewhere_ = heard_from == agreed_ ? std::nullopt : std::optional{heard_from};
    heard_ = true;
    at_ns_ = now_ns;
}

void Latch::note(const RtpHeader& header, std::int64_t now_ns) {
    heard_ = true;
    ssrc_ = header.ssrc;
    sequence_ = header.sequence;
    at_ns_ = now_ns;
}

bool Latch::may_follow(const Address& from, const RtpHeader& header, std::int64_t now_ns) const {
    constexpr std::uint16_t gap_max = 3000; // packets: RFC 3550 A.1, MAX_DROPOUT
    if (!heard_) {
        return true;
    }
    const bool goes_on = ssrc_ == header.ssrc &&
                         static_cast<std::uint16_t>(header.sequence - sequence_ - 1) < gap_max;
    const bool known_host = from.same_host(agreed_) || (elsewhere_ && from.same_host(*elsewhere_));
    const std::int64_t silent_ns = now_ns - at_ns_;
    return (goes_on && silent_ns >= silence_ns) || (known_host && silent_ns >= long_silence_ns);
}

std::uint32_t Latch::in_sequence(const Address& from, const RtpHeader& header) {
    auto* const end = candidates_.end();
    auto* known = std::find_if(candidates_.begin(), end,
                               [&](const Candidate& c) { return c.count > 0 && c.from == from; });
    if (known == end) {
        known = &candidates_[next_candidate_++ % candidates_.size()];
        *known = {.from = from};
    }
    const bool follows =
        known->count > 0 && known->ssrc == header.ssrc && known->next == header.sequence;
    known->count = follows ? known->count + 1 : 1;
    known->ssrc = header.ssrc;
    known->next = static_cast<std::uint16_t>(header.sequence + 1);
    return known->count;
}

Latch::Verdict Latch::judge(const Address& from, const RtpHeader& header, std::int64_t now_ns) {
    if (from == agreed_) {
        const bool is_news = !heard_ || elsewhere_;
        elsewhere_.reset();
        note(header, now_ns);
        return is_news ? Verdict::returned : Verdict::peer;
    }
    if (elsewhere_ && from == *elsewhere_) {
        note(header, now_ns);
        return Verdict::peer;
    }
    if (!may_follow(from, header, now_ns)) {
        return Verdict::stranger;
    }
    const std::uint32_t needed = from.same_host(agreed_) ? packets_same_host : packets_other_host;
    if (in_sequence(from, header) < needed) {
        return Verdict::stranger;
    }
    elsewhere_ = from;
    candidates_ = {};
    note(header, now_ns);
    return Verdict::moved;
}

} // namespace revenant::media
