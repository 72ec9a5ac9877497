#include "sip/sofia/sdp_reader.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/sdp.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/sdp_guard.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t length_max = 65'536;
constexpr std::size_t streams_max = 32;
constexpr std::size_t codecs_max = 64;

bool is_numeric(const std::string& address) {
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    return ::inet_pton(AF_INET, address.c_str(), buffer.data()) == 1 ||
           ::inet_pton(AF_INET6, address.c_str(), buffer.data()) == 1;
}

// c=IN IP4 0.0.0.0 is the old way to say hold (RFC 3264 §8.4).
bool is_nowhere(const std::string& address) {
    return address == "0.0.0.0" || address == "::";
}

std::string text_of(const char* text) {
    return text != nullptr ? std::string{text} : std::string{};
}

call::Direction direction_of(const sdp_media_t& media) {
    // As the peer sees it: its "sendonly" is stored by the parser as our view of its sending.
    const bool send = (media.m_mode & static_cast<unsigned>(sdp_sendonly)) != 0;
    const bool receive = (media.m_mode & static_cast<unsigned>(sdp_recvonly)) != 0;
    return call::direction(send, receive);
}

call::Endpoint rtcp_of(const sdp_media_t& media, const call::Endpoint& rtp) {
    call::Endpoint rtcp{
        .address = rtp.address,
        .port = static_cast<std::uint16_t>(rtp.port == 65535 || rtp.port == 0 ? 0 : rtp.port + 1)};
    // RFC 3605: a=rtcp:PORT [IN IP4 ADDRESS]. Another address is not followed.
    if (const sdp_attribute_t* a = sdp_attribute_find(media.m_attributes, "rtcp")) {
        const std::string value = text_of(a->a_value);
        const auto port = base::to_port(value.substr(0, value.find(' ')));
        if (port) {
            rtcp.port = *port;
        }
    }
    return rtcp;
}

// 0: not said, or nonsense.
std::uint32_t milliseconds(const sdp_media_t& media, const char* attribute) {
    const sdp_attribute_t* a = sdp_attribute_find(media.m_attributes, attribute);
    return a == nullptr ? 0 : base::to_u32(base::trim(text_of(a->a_value))).value_or(0);
}

std::string formats_of(const sdp_media_t& media) {
    std::string formats;
    for (const sdp_rtpmap_t* map = media.m_rtpmaps; map != nullptr; map = map->rm_next) {
        formats += (formats.empty() ? "" : " ") + std::to_string(map->rm_pt);
    }
    for (const sdp_list_t* item = media.m_format; item != nullptr; item = item->l_next) {
        formats += (formats.empty() ? "" : " ") + text_of(item->l_text);
    }
    return formats.empty() ? std::string{"0"} : formats;
}

call::RemoteStream stream_of(const sdp_session_t& session, const sdp_media_t& media) {
    call::RemoteStream stream;
    stream.media = text_of(media.m_type_name);
    stream.profile = text_of(media.m_proto_name);
    stream.formats = formats_of(media);
    stream.direction = direction_of(media);
    const sdp_connection_t* connection =
        media.m_connections != nullptr ? media.m_connections : session.sdp_connection;
    if (connection != nullptr) {
        stream.rtp.address = text_of(connection->c_address);
    }
    stream.rtp.port =
        media.m_port <= 65535 ? static_cast<std::uint16_t>(media.m_port) : std::uint16_t{0};
    if (!is_numeric(stream.rtp.address)) {
        stream.rtp = {}; // host names in c= are legal but not looked up: disabled
    } else if (is_nowhere(stream.rtp.address)) {
        stream.direction = call::direction(call::sends(stream.direction), false);
    }
    stream.rtcp = rtcp_of(media, stream.rtp);
    for (const sdp_rtpmap_t* map = media.m_rtpmaps;
         map != nullptr && stream.codecs.size() < codecs_max; map = map->rm_next) {
        if (map->rm_encoding != nullptr && *map->rm_encoding != '\0') {
            stream.codecs.push_back(
                call::Codec{.payload_type = static_cast<std::uint8_t>(map->rm_pt),
                            .name = map->rm_encoding,
                            .clock_rate = static_cast<std::uint32_t>(map->rm_rate)});
        }
    }
    stream.ptime_ms = milliseconds(media, "ptime");
    stream.maxptime_ms = milliseconds(media, "maxptime");
    return stream;
}

struct ParserFree {
    void operator()(sdp_parser_t* parser) const { sdp_parser_free(parser); }
};

} // namespace

std::optional<std::string_view> description_in(const sip_t& sip) {
    if (sip.sip_payload == nullptr || sip.sip_payload->pl_data == nullptr) {
        return std::nullopt;
    }
    const std::string_view body{sip.sip_payload->pl_data, sip.sip_payload->pl_len};
    const bool has_type =
        sip.sip_content_type != nullptr && sip.sip_content_type->c_type != nullptr;
    const bool is_sdp =
        has_type ? base::equals_ignoring_case(sip.sip_content_type->c_type, "application/sdp")
                 : base::equals_ignoring_case(body.substr(0, 3), "v=0");
    return is_sdp ? std::optional{body} : std::nullopt;
}

base::Result<call::RemoteSession> read_sdp(std::string_view text) {
    if (text.size() > length_max) {
        return base::fail(base::Errc::bad_input, "the session description is over 64 KiB");
    }
    if (text.find('\0') != std::string_view::npos) {
        return base::fail(base::Errc::bad_input, "the session description has a NUL byte");
    }
    const Home home = make_home();
    const std::unique_ptr<sdp_parser_t, ParserFree> parser{
        parse_guarded(home.get(), text.data(), static_cast<issize_t>(text.size()), sdp_f_anynet)};
    const sdp_session_t* session = sdp_session(parser.get());
    if (session == nullptr) {
        return base::fail(base::Errc::bad_input,
                          "the session description cannot be read: " +
                              base::printable(text_of(sdp_parsing_error(parser.get()))));
    }
    call::RemoteSession result{.text = std::string{text}, .streams = {}};
    for (const sdp_media_t* media = session->sdp_media; media != nullptr; media = media->m_next) {
        if (result.streams.size() == streams_max) {
            return base::fail(base::Errc::bad_input, "the session description has over 32 streams");
        }
        result.streams.push_back(stream_of(*session, *media));
    }
    return result;
}

} // namespace revenant::sip
