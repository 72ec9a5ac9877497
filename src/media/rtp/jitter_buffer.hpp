// Holds received packets until their playout time, which is kept in the sender's timestamps, and
// adapts the delay: a late packet makes it longer at once, a quiet while shortens it slowly.
// Everything is preallocated; packets of any length up to 80 ms play in frames of any length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "media/rates.hpp"
#include "media/rtp/bytes.hpp"

namespace revenant::media {

class JitterBuffer {
public:
    static constexpr std::size_t packets_max = 32;
    static constexpr std::size_t payload_max = std::size_t{80} * pcm_per_ms;
    // How far the newest sample may lie ahead of the one being played.
    static constexpr std::uint32_t delay_max = 200 * pcm_per_ms;
    static constexpr std::uint32_t delay_first = 40 * pcm_per_ms;

    enum class Put : std::uint8_t {
        stored,
        late,      // its time had passed; it is dropped, the delay grew
        oversized, // longer than `payload_max`
    };

    // Bytes are kept only if `keep_payload`; without, only the counts are right. May be turned on
    // while running (allocates).
    void keep_payload(bool keep);

    [[nodiscard]] bool keeps_payload() const { return payloads_ != nullptr; }

    // The stream began anew: forget what is stored, delay again.
    void reset();

    // One packet of `payload.size()` samples; the caller has dropped duplicates. `format` comes
    // back with its pieces.
    Put put(std::uint32_t timestamp, Bytes payload, std::uint8_t format = 0);

    // A part of a frame: received octets, or a gap of `samples` to be concealed. `encoded` is
    // valid until the next call of any method, and empty with a payload that was not kept.
    struct Piece {
        std::uint32_t samples = 0;
        bool gap = false;
        std::uint8_t format = 0;
        Bytes encoded;
    };

    struct Frame {
        bool playing = false;   // false: nothing has come, or we wait for the delay to fill
        bool concealed = false; // there is a gap in it
        std::size_t count = 0;
        std::array<Piece, 2 * packets_max> pieces;
    };

    // The next `samples` samples in order; `frame` is overwritten.
    void play(std::uint32_t samples, Frame& frame);

private:
    struct Entry {
        std::uint32_t timestamp = 0;
        std::uint32_t samples = 0;
        std::uint8_t format = 0;
    };

    void start_at(std::uint32_t timestamp);
    void note_margin(std::int32_t margin);
    void grow(std::uint32_t lateness);
    void drop_before(std::uint32_t timestamp);
    [[nodiscard]] std::size_t make_room();
    [[nodiscard]] std::size_t next_entry() const;
    [[nodiscard]] Bytes payload_of(std::size_t entry, std::uint32_t from, std::uint32_t size) const;

    std::array<Entry, packets_max> entries_{};
    std::uint32_t occupied_ = 0; // bit k: entries_[k] holds a packet
    std::unique_ptr<std::array<std::array<std::uint8_t, payload_max>, packets_max>> payloads_;

    bool started_ = false;
    std::uint32_t play_at_ = 0;             // timestamp of the next sample to be played
    std::uint32_t frame_ = 20 * pcm_per_ms; // samples of the last frame played
    std::uint32_t waiting_for_ = 0;         // samples until the first one is due
    std::uint32_t silent_ = 0;              // samples concealed in a row
    std::uint32_t late_run_ = 0;
    std::uint32_t window_count_ = 0;
    std::int32_t window_margin_ = 0;
};

} // namespace revenant::media
