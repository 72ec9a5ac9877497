// Just enough SIP to be the other end of a call.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

inline bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::ranges::equal(
               text.substr(0, prefix.size()), prefix,
               [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

struct Message {
    std::string_view text;

    // The whole lines of a header field, with their ends; sofia-sip writes no short forms.
    [[nodiscard]] std::string lines(std::string_view name) const {
        std::string result;
        for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;) {
            const std::size_t begin = at + 2;
            at = text.find("\r\n", begin);
            if (at == begin || at == std::string_view::npos) {
                break;
            }
            const std::string_view line = text.substr(begin, at - begin);
            if (starts_with_ignoring_case(line, name) && line.size() > name.size() &&
                line[name.size()] == ':') {
                result.append(line).append("\r\n");
            }
        }
        return result;
    }

    [[nodiscard]] std::string value(std::string_view name) const {
        const std::string all = lines(name);
        const std::size_t from = all.find_first_not_of(' ', name.size() + 1);
        return all.empty() || from == std::string::npos ? ""
                                                        : all.substr(from, all.find('\r') - from);
    }

    [[nodiscard]] bool is(std::string_view method) const {
        return text.starts_with(method) && text.size() > method.size() &&
               text[method.size()] == ' ';
    }

    [[nodiscard]] bool is_response() const { return text.starts_with("SIP/2.0 "); }

    [[nodiscard]] int status() const { return std::atoi(text.substr(8, 3).data()); }

    [[nodiscard]] bool in_dialog() const { return value("To").find(";tag=") != std::string::npos; }
};

struct Hosts {
    std::string phone = "127.0.0.1";
    std::string peer = "127.0.0.2";
};

inline Hosts hosts;

inline std::string contact_line() {
    return "Contact: <sip:bob@" + hosts.peer + ":5060>\r\n";
}

// As the peer answers: Record-Route is not ours, the rest is copied (RFC 3261 §8.2.6.2). A To
// without a tag gets `tag`.
inline std::string response(const Message& request,
                            std::string_view status,
                            std::string_view tag,
                            std::string_view sdp) {
    std::string result{"SIP/2.0 "};
    result.append(status).append("\r\n");
    result += request.lines("Via") + request.lines("From");
    std::string to = request.lines("To");
    if (to.find(";tag=") == std::string::npos && to.size() > 2) {
        to.insert(to.size() - 2, std::string{";tag="}.append(tag));
    }
    result += to + request.lines("Call-ID") + request.lines("CSeq");
    result += contact_line();
    result += "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\nSupported: timer\r\n";
    if (!sdp.empty()) {
        result += "Content-Type: application/sdp\r\n";
    }
    result += "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n";
    return result.append(sdp);
}

inline std::string audio_sdp(int port) {
    return "v=0\r\no=bob 4711 1 IN IP4 " + hosts.peer + "\r\ns=-\r\nc=IN IP4 " + hosts.peer +
           "\r\nt=0 0\r\nm=audio " + std::to_string(port) +
           " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n";
}

} // namespace bench
