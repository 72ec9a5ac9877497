#include "revenant/call/sdp.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"

namespace revenant::call {

namespace {

// The lines of a description with their line ends kept.
std::vector<std::string_view> lines_of(std::string_view sdp) {
    std::vector<std::string_view> lines;
    while (!sdp.empty()) {
        const std::size_t end = sdp.find('\n');
        const std::size_t length = end == std::string_view::npos ? sdp.size() : end + 1;
        lines.push_back(sdp.substr(0, length));
        sdp.remove_prefix(length);
    }
    return lines;
}

bool is_direction(std::string_view line) {
    const std::string_view bare = base::trim(line);
    return bare == "a=sendrecv" || bare == "a=sendonly" || bare == "a=recvonly" ||
           bare == "a=inactive";
}

// "o=- ID VERSION IN IP4 ADDR" in its words.
std::vector<std::string_view> origin_of(std::string_view sdp) {
    std::vector<std::string_view> words;
    for (const std::string_view line : lines_of(sdp)) {
        if (!line.starts_with("o=")) {
            continue;
        }
        std::string_view rest = base::trim(line.substr(2));
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            words.push_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        break;
    }
    return words;
}

// Versions are numbers of up to 64 bits (RFC 4566 §5.2); ours fit.
std::uint64_t version_of(std::string_view sdp) {
    const auto words = origin_of(sdp);
    return words.size() > 2 ? base::to_u32(words[2]).value_or(1) : 1;
}

std::string_view family(std::string_view address) {
    return address.find(':') == std::string_view::npos ? "IP4" : "IP6";
}

struct Body {
    std::string_view session_id;
    std::uint64_t version = 1;
    const Endpoint& local;
    const std::vector<Codec>& codecs;
    std::uint32_t ptime_ms = 20;
    Direction direction = Direction::sendrecv;
};

std::string session_lines(const Body& body) {
    const std::string_view net = family(body.local.address);
    return fmt::format("v=0\r\no=- {} {} IN {} {}\r\ns=-\r\nc=IN {} {}\r\nt=0 0\r\n",
                       body.session_id, body.version, net, body.local.address, net,
                       body.local.address);
}

// The order of the a= lines is that of sofia-sip's printer, which passes it on unchanged.
std::string audio_lines(const Body& body) {
    std::string text = fmt::format("m=audio {} RTP/AVP", body.local.port);
    for (const Codec& codec : body.codecs) {
        text += fmt::format(" {}", codec.payload_type);
    }
    text += "\r\n";
    for (const Codec& codec : body.codecs) {
        text +=
            fmt::format("a=rtpmap:{} {}/{}\r\n", codec.payload_type, codec.name, codec.clock_rate);
    }
    if (body.direction != Direction::sendrecv) {
        text += fmt::format("a={}\r\n", name(body.direction));
    }
    text += fmt::format("a=ptime:{}\r\n", body.ptime_ms);
    return text;
}

bool is_live_audio(std::string_view line) {
    return line.starts_with("m=audio ") && !line.starts_with("m=audio 0 ");
}

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

// The formats of our own description, which name all that we take.
std::vector<Codec> formats_of(std::string_view local_sdp) {
    std::vector<Codec> formats;
    bool in_audio = false;
    for (std::string_view line : lines_of(local_sdp)) {
        constexpr std::string_view rtpmap = "a=rtpmap:";
        if (line.starts_with("m=")) {
            in_audio = is_live_audio(line);
        }
        if (!in_audio || !line.starts_with(rtpmap)) {
            continue;
        }
        line = base::trim(line.substr(rtpmap.size()));
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::size_t slash = std::min(line.find('/', space), line.size());
        const auto type = base::to_u32(line.substr(0, space));
        const auto rate = base::to_u32(line.substr(std::min(slash + 1, line.size())));
        if (type && *type < 128 && rate && slash > space) {
            formats.push_back({.payload_type = static_cast<std::uint8_t>(*type),
                               .name = std::string{line.substr(space + 1, slash - space - 1)},
                               .clock_rate = *rate});
        }
    }
    return formats;
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

// Which stream of an answer is that of our audio (RFC 3264 §6: in the order of the offer).
std::size_t audio_index(std::string_view local_sdp) {
    std::size_t index = 0;
    for (const std::string_view line : lines_of(local_sdp)) {
        if (is_live_audio(line)) {
            return index;
        }
        index += line.starts_with("m=") ? 1U : 0U;
    }
    return 0;
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

std::string_view name(Direction d) {
    switch (d) {
    case Direction::sendrecv: return "sendrecv";
    case Direction::sendonly: return "sendonly";
    case Direction::recvonly: return "recvonly";
    case Direction::inactive: return "inactive";
    }
    return "inactive";
}

Direction answer_direction(Direction wanted, Direction offered) {
    return direction(sends(wanted) && receives(offered), receives(wanted) && sends(offered));
}

std::string write_offer(std::uint64_t session_id,
                        const Endpoint& local,
                        const std::vector<Codec>& codecs,
                        std::uint32_t ptime_ms,
                        Direction direction) {
    const std::string id = fmt::format("{}", session_id);
    // Version 1 means "choose one" to sofia-sip.
    const Body body{.session_id = id,
                    .version = 2,
                    .local = local,
                    .codecs = codecs,
                    .ptime_ms = ptime_ms,
                    .direction = direction};
    return session_lines(body) + audio_lines(body);
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

std::string redirect(std::string_view local_sdp, Direction direction) {
    const std::uint64_t version = version_of(local_sdp) + 1;
    const auto origin = origin_of(local_sdp);
    std::string out;
    bool in_audio = false;
    bool done = false;
    const auto put_direction = [&] {
        if (in_audio && !done && direction != Direction::sendrecv) {
            out += fmt::format("a={}\r\n", name(direction));
        }
        done = done || in_audio;
    };
    for (const std::string_view line : lines_of(local_sdp)) {
        if (line.starts_with("o=") && origin.size() == 6) {
            out += fmt::format("o={} {} {} {} {} {}\r\n", origin[0], origin[1], version, origin[3],
                               origin[4], origin[5]);
            continue;
        }
        if (line.starts_with("m=")) {
            put_direction();
            in_audio = is_live_audio(line);
        }
        if (in_audio && is_direction(line)) {
            continue;
        }
        // After rtpmap and fmtp, before everything else: where sofia-sip's printer has it.
        if (in_audio && !line.starts_with("m=") && !line.starts_with("a=rtpmap:") &&
            !line.starts_with("a=fmtp:")) {
            put_direction();
        }
        out += line;
    }
    put_direction();
    return out;
}

std::string as_answer(std::string_view remote_sdp, Direction offered) {
    // What they may do is what the other side may do, seen from there.
    const std::string mirrored =
        fmt::format("a={}\r\n", name(direction(receives(offered), sends(offered))));
    std::string out;
    bool in_audio = false;
    for (const std::string_view line : lines_of(remote_sdp)) {
        if (line.starts_with("m=")) {
            out += in_audio ? mirrored : std::string{};
            in_audio = is_live_audio(line);
        }
        if (!is_direction(line)) {
            out += line;
        }
    }
    if (in_audio) {
        out += out.ends_with('\n') ? mirrored : "\r\n" + mirrored;
    }
    return out;
}

Direction direction_of(std::string_view local_sdp) {
    bool in_audio = false;
    for (const std::string_view line : lines_of(local_sdp)) {
        if (line.starts_with("m=")) {
            in_audio = is_live_audio(line);
        }
        if (!in_audio || !is_direction(line)) {
            continue;
        }
        for (const Direction d :
             {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
            if (base::trim(line).substr(2) == name(d)) {
                return d;
            }
        }
    }
    return Direction::sendrecv;
}

} // namespace revenant::call
