// Descriptions of ours as text: what is written, and what is read in one that we have written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/call/dialog.hpp"

namespace revenant::call {

// What a description of ours is made of.
struct Body {
    std::string_view session_id;
    std::uint64_t version = 1;
    const Endpoint& local;
    const std::vector<Codec>& codecs;
    std::uint32_t ptime_ms = 20;
    Direction direction = Direction::sendrecv;
};

[[nodiscard]] std::string session_lines(const Body& body);
[[nodiscard]] std::string audio_lines(const Body& body);

// "IP4" or "IP6".
[[nodiscard]] std::string_view family(std::string_view address);

// "o=- ID VERSION IN IP4 ADDR" in its words.
[[nodiscard]] std::vector<std::string_view> origin_of(std::string_view sdp);
[[nodiscard]] std::uint64_t version_of(std::string_view sdp);

// The formats of our own description, which name all that we take.
[[nodiscard]] std::vector<Codec> formats_of(std::string_view local_sdp);

// Which stream of an answer is that of our audio (RFC 3264 §6: in the order of the offer).
[[nodiscard]] std::size_t audio_index(std::string_view local_sdp);

} // namespace revenant::call
