#include "call/sdp_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/text.hpp"
#include "revenant/call/sdp.hpp"

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

bool is_live_audio(std::string_view line) {
    return line.starts_with("m=audio ") && !line.starts_with("m=audio 0 ");
}

} // namespace

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

std::string_view name(Direction d) {
    switch (d) {
    case Direction::sendrecv: return "sendrecv";
    case Direction::sendonly: return "sendonly";
    case Direction::recvonly: return "recvonly";
    case Direction::inactive: return "inactive";
    }
    return "inactive";
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
