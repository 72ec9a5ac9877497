#include "media/rtp/jitter_buffer.hpp"

#include <algorithm>
#include <bit>

namespace revenant::media {

namespace {

// So many packets are watched before the delay may shrink by one frame.
constexpr std::uint32_t window_packets = 100;
// So many late packets in a row are not late: the sender's timestamps moved.
constexpr std::uint32_t late_run_max = 8;
// After so long without a packet the stream has paused; the next packet begins it anew.
constexpr std::uint32_t pause_samples = 1000 * pcm_per_ms;

std::int32_t distance(std::uint32_t from, std::uint32_t to) {
    return static_cast<std::int32_t>(to - from);
}

} // namespace

void JitterBuffer::keep_payload(bool keep) {
    if (!keep) {
        payloads_.reset();
    } else if (!payloads_) {
        payloads_ =
            std::make_unique<std::array<std::array<std::uint8_t, payload_max>, packets_max>>();
        occupied_ = 0; // what came without its payload cannot be played
    }
}

void JitterBuffer::reset() {
    started_ = false;
    occupied_ = 0;
}

void JitterBuffer::start_at(std::uint32_t timestamp) {
    started_ = true;
    occupied_ = 0;
    play_at_ = timestamp - delay_first;
    waiting_for_ = delay_first;
    silent_ = 0;
    late_run_ = 0;
    window_count_ = 0;
}

// `margin`: how long before its playout the packet came.
void JitterBuffer::note_margin(std::int32_t margin) {
    window_margin_ = window_count_ == 0 ? margin : std::min(window_margin_, margin);
    if (++window_count_ < window_packets) {
        return;
    }
    window_count_ = 0;
    // One frame of slack stays, and one because we look only once per frame.
    const auto frame = static_cast<std::int32_t>(frame_);
    const std::int32_t spare = window_margin_ - 2 * frame;
    if (spare > 0) {
        play_at_ += static_cast<std::uint32_t>(std::min(spare, frame));
    }
}

void JitterBuffer::grow(std::uint32_t lateness) {
    play_at_ -= std::min(lateness + frame_, delay_max);
    window_count_ = 0;
}

void JitterBuffer::drop_before(std::uint32_t timestamp) {
    for (std::uint32_t rest = occupied_; rest != 0; rest &= rest - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(rest));
        if (distance(timestamp, entries_[i].timestamp + entries_[i].samples) <= 0) {
            occupied_ &= ~(1U << i);
        }
    }
}

// The occupied entry that is to be played first; packets_max if there is none.
std::size_t JitterBuffer::next_entry() const {
    std::size_t best = packets_max;
    for (std::uint32_t rest = occupied_; rest != 0; rest &= rest - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(rest));
        if (best == packets_max || distance(entries_[i].timestamp, entries_[best].timestamp) > 0) {
            best = i;
        }
    }
    return best;
}

std::size_t JitterBuffer::make_room() {
    if (occupied_ == 0xffffffffU) {
        return next_entry(); // the oldest gives way
    }
    return static_cast<std::size_t>(std::countr_one(occupied_));
}

JitterBuffer::Put JitterBuffer::put(std::uint32_t timestamp, Bytes payload, std::uint8_t format) {
    if (payload.size() > payload_max) {
        return Put::oversized;
    }
    const auto samples = static_cast<std::uint32_t>(payload.size());
    if (!started_) {
        start_at(timestamp);
    }
    const std::int32_t ahead = distance(play_at_, timestamp + samples);
    if (ahead <= 0) {
        if (++late_run_ < late_run_max) {
            grow(static_cast<std::uint32_t>(
                std::min<std::int64_t>(-std::int64_t{ahead}, delay_max)));
            return Put::late;
        }
        start_at(timestamp);
    } else {
        late_run_ = 0;
        note_margin(distance(play_at_, timestamp));
        if (ahead > static_cast<std::int32_t>(delay_max)) {
            // A burst, or timestamps that jumped: rather lose the old than fall behind for good.
            play_at_ = timestamp + samples - std::max(delay_first, samples);
            drop_before(play_at_);
            window_count_ = 0;
        }
    }
    const std::size_t entry = make_room();
    entries_[entry] = {.timestamp = timestamp, .samples = samples, .format = format};
    occupied_ |= 1U << entry;
    if (payloads_) {
        std::copy(payload.begin(), payload.end(), (*payloads_)[entry].begin());
    }
    return Put::stored;
}

Bytes JitterBuffer::payload_of(std::size_t entry, std::uint32_t from, std::uint32_t size) const {
    return payloads_ ? Bytes{(*payloads_)[entry]}.subspan(from, size) : Bytes{};
}

void JitterBuffer::play(std::uint32_t samples, Frame& frame) {
    frame.playing = started_;
    frame.concealed = false;
    frame.count = 0;
    frame_ = samples;
    if (!started_) {
        return;
    }
    drop_before(play_at_);
    const std::uint32_t end = play_at_ + samples;
    std::uint32_t finished = 0; // stays stored, as its payload is pointed to, until the next call
    while (distance(play_at_, end) > 0 && frame.count < frame.pieces.size()) {
        const std::uint32_t kept = occupied_;
        occupied_ &= ~finished;
        const std::size_t entry = next_entry();
        occupied_ = kept;
        const auto rest = static_cast<std::uint32_t>(distance(play_at_, end));
        Piece& piece = frame.pieces[frame.count++];
        const std::int32_t wait = entry == packets_max
                                      ? static_cast<std::int32_t>(rest)
                                      : distance(play_at_, entries_[entry].timestamp);
        if (wait > 0) {
            piece = {.samples = std::min(rest, static_cast<std::uint32_t>(wait)),
                     .gap = true,
                     .format = 0,
                     .encoded = {}};
        } else {
            const auto from = static_cast<std::uint32_t>(-wait);
            if (from >= entries_[entry].samples) { // overlapped by its predecessor
                finished |= 1U << entry;
                --frame.count;
                continue;
            }
            const std::uint32_t size = std::min(rest, entries_[entry].samples - from);
            piece = {.samples = size,
                     .gap = false,
                     .format = entries_[entry].format,
                     .encoded = payload_of(entry, from, size)};
            finished |= 1U << entry;
            silent_ = 0;
        }
        play_at_ += piece.samples;
        frame.concealed = frame.concealed || piece.gap;
    }
    play_at_ = end;
    if (waiting_for_ > 0) {
        // The delay before the first packet is no loss.
        waiting_for_ -= std::min(waiting_for_, samples);
        frame.playing = !frame.concealed;
        frame.concealed = false;
    }
    if (frame.count > 0 && frame.pieces[0].gap && frame.count == 1) {
        silent_ += samples;
        started_ = silent_ < pause_samples;
    }
}

} // namespace revenant::media
