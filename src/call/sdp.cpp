#include "revenant/call/sdp.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "call/sdp_text.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"

namespace revenant::call {

namespace {

bool is_usable(const RemoteStream& stream) {
    return stream.media == "audio" && stream.profile == "RTP/AVP" && stream.rtp.port != 0;
}

// A socket of the one family cannot send to the other.
bool is_reachable(const RemoteStream& stream, const Media& media) {
    return media.local.address.empty() || family(media.local.address) == family(stream.rtp.address);
}

// How long our packets are: as the peer wants, never longer than it allows (RFC 4566 §6), in
// steps of 10 ms. Nothing if it allows none that we can make.
std::optional<std::uint32_t> packet_ms(const RemoteStream& stream) {
    constexpr std::uint32_t step_ms = 10;
    constexpr std::uint32_t longest_ms = 60;
    const std::uint32_t wish = stream.ptime_ms != 0 ? stream.ptime_ms : ptime_default_ms;
    const std::uint32_t limit =
        stream.maxptime_ms != 0 ? std::min(stream.maxptime_ms, longest_ms) : longest_ms;
    const std::uint32_t length = std::min(std::max(wish, step_ms), limit) / step_ms * step_ms;
    return length == 0 ? std::nullopt : std::optional{length};
}

// The codecs of the peer that are ours too, in the peer's order and with its payload types.
std::vector<Codec> common(const std::vector<Codec>& theirs, const std::vector<Codec>& ours) {
    std::vector<Codec> both;
    for (const Codec& codec : theirs) {
        const auto same = [&](const Codec& mine) {
            return base::equals_ignoring_case(mine.name, codec.name) &&
                   mine.clock_rate == codec.clock_rate;
        };
        const auto mine = std::ranges::find_if(ours, same);
        if (mine != ours.end()) {
            both.push_back(Codec{.payload_type = codec.payload_type,
                                 .name = mine->name,
                                 .clock_rate = mine->clock_rate});
        }
    }
    return both;
}

// What we can do in a stream of the peer's: each codec once, with its first number. Empty: nothing.
std::vector<Codec>
choices(const RemoteStream& stream, const Media& media, const std::vector<Codec>& codecs) {
    if (!is_usable(stream) || !is_reachable(stream, media) || !packet_ms(stream)) {
        return {};
    }
    std::vector<Codec> once;
    for (Codec& codec : common(stream.codecs, codecs)) {
        if (std::ranges::find(once, codec.name, &Codec::name) == once.end()) {
            once.push_back(std::move(codec));
        }
    }
    return once;
}

// `ours` with what the peer calls the same codecs where that cannot be mistaken: many send with the
// numbers of their own description.
std::vector<Codec> receivable(std::vector<Codec> ours, const std::vector<Codec>& theirs) {
    for (const Codec& codec : theirs) {
        if (std::ranges::find(ours, codec.payload_type, &Codec::payload_type) == ours.end()) {
            ours.push_back(codec);
        }
    }
    return ours;
}

std::string why_no_audio(const RemoteSession& offer, const Media& media) {
    const auto elsewhere = std::ranges::find_if(offer.streams, [&](const RemoteStream& stream) {
        return is_usable(stream) && !is_reachable(stream, media);
    });
    if (elsewhere != offer.streams.end()) {
        return fmt::format("the peer's audio is at an {} address, and this phone has {} only; "
                           "--listen chooses another address",
                           family(elsewhere->rtp.address) == "IP6" ? "IPv6" : "IPv4",
                           family(media.local.address) == "IP6" ? "IPv6" : "IPv4");
    }
    return "the peer offers no audio that this phone can play (PCMU, PCMA)";
}

void agree(Media& media,
           const RemoteStream& stream,
           const std::vector<Codec>& both,
           std::vector<Codec> ours,
           const std::vector<Codec>& codecs) {
    media.codec = both.front();
    media.receive = receivable(std::move(ours), common(stream.codecs, codecs));
    media.ptime_ms = packet_ms(stream).value_or(ptime_default_ms);
    media.remote = stream.rtp;
    media.remote_rtcp = stream.rtcp;
}

} // namespace

Direction answer_direction(Direction wanted, Direction offered) {
    return direction(sends(wanted) && receives(offered), receives(wanted) && sends(offered));
}

base::Result<Negotiated> answer_offer(const RemoteSession& offer,
                                      const Media& media,
                                      const std::vector<Codec>& codecs,
                                      Direction wanted,
                                      std::uint64_t session_id,
                                      std::string_view previous_sdp) {
    Negotiated result{.local_sdp = {}, .media = media};
    const std::string id = previous_sdp.empty() || origin_of(previous_sdp).size() < 2
                               ? fmt::format("{}", session_id)
                               : std::string{origin_of(previous_sdp)[1]};
    std::string streams;
    bool found = false;
    for (const RemoteStream& stream : offer.streams) {
        const std::vector<Codec> both =
            found ? std::vector<Codec>{} : choices(stream, media, codecs);
        if (both.empty()) {
            streams +=
                fmt::format("m={} 0 {} {}\r\n", stream.media, stream.profile, stream.formats);
            continue;
        }
        found = true;
        result.media.direction = answer_direction(wanted, stream.direction);
        agree(result.media, stream, both, both, codecs);
        streams += audio_lines(Body{.session_id = id,
                                    .version = 0,
                                    .local = media.local,
                                    .codecs = both,
                                    .ptime_ms = result.media.ptime_ms,
                                    .direction = result.media.direction});
    }
    if (!found) {
        return base::fail(base::Errc::unsupported, why_no_audio(offer, media));
    }
    const auto complete = [&](std::uint64_t version) {
        return session_lines(Body{.session_id = id,
                                  .version = version,
                                  .local = media.local,
                                  .codecs = codecs,
                                  .ptime_ms = media.ptime_ms,
                                  .direction = wanted}) +
               streams;
    };
    const std::uint64_t version = previous_sdp.empty() ? 2 : version_of(previous_sdp);
    result.local_sdp = complete(version);
    if (!previous_sdp.empty() && result.local_sdp != previous_sdp) {
        result.local_sdp = complete(version + 1);
    }
    return result;
}

base::Result<Media> apply_answer(const RemoteSession& answer,
                                 const Media& media,
                                 const std::vector<Codec>& codecs,
                                 std::string_view local_sdp) {
    // Some leave out the lines that they refuse, so the right one may be another.
    std::vector<const RemoteStream*> candidates;
    const std::size_t index = audio_index(local_sdp);
    if (index < answer.streams.size()) {
        candidates.push_back(&answer.streams[index]);
    }
    for (const RemoteStream& stream : answer.streams) {
        candidates.push_back(&stream);
    }
    for (const RemoteStream* stream : candidates) {
        const std::vector<Codec> both = choices(*stream, media, codecs);
        if (both.empty()) {
            continue;
        }
        Media result = media;
        result.direction = answer_direction(direction_of(local_sdp), stream->direction);
        agree(result, *stream, both, formats_of(local_sdp), codecs);
        return result;
    }
    return base::fail(base::Errc::unsupported,
                      "the peer's answer accepts no audio that we offered");
}

} // namespace revenant::call
