#include "journal/check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "journal/uri.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

bool is_graphic(char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F;
}

// No blank and no control character: Call-ID, tags, URIs, branches. May be empty.
bool is_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_graphic);
}

// Fits into one header line. May be empty.
bool is_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
}

bool is_zone(std::string_view text) {
    return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_graphic);
}

// IPv4 or IPv6, the latter also with a zone (RFC 4007 §11): "fe80::1%eth0".
bool is_numeric_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    if (text.find('\0') != std::string::npos) {
        return false;
    }
    if (::inet_pton(AF_INET, text.c_str(), binary.data()) == 1) {
        return true;
    }
    const std::size_t percent = text.find('%');
    if (percent == std::string::npos) {
        return ::inet_pton(AF_INET6, text.c_str(), binary.data()) == 1;
    }
    return is_zone(std::string_view{text}.substr(percent + 1)) &&
           ::inet_pton(AF_INET6, text.substr(0, percent).c_str(), binary.data()) == 1;
}

// Keeps the first rule that was broken; the rest are then idle.
class Rules {
public:
    void require(bool holds, std::string_view key, std::string_view rule) {
        if (!holds && status_) {
            status_ = base::fail(base::Errc::corrupt, fmt::format("{} {}", key, rule));
        }
    }

    void word(std::string_view key, const std::string& text, bool required) {
        strings_size_ += text.size();
        require(!required || !text.empty(), key, "is empty");
        require(is_word(text), key, "holds a blank or a control character");
    }

    void line(std::string_view key, const std::string& text, bool required = false) {
        strings_size_ += text.size();
        require(!required || !text.empty(), key, "is empty");
        require(is_line(text), key, "holds a line break or a NUL");
    }

    void sdp(std::string_view key, const std::string& text) {
        strings_size_ += text.size();
        require(text.find('\0') == std::string::npos, key, "holds a NUL");
    }

    void bytes(const std::string& text) { strings_size_ += text.size(); }

    void endpoint(std::string_view address_key, const call::Endpoint& endpoint) {
        strings_size_ += endpoint.address.size();
        if (endpoint.address.empty()) {
            require(endpoint.port == 0, address_key, "is empty although there is a port");
        } else {
            require(is_numeric_address(endpoint.address), address_key,
                    "is not a numeric IPv4 or IPv6 address");
        }
    }

    void not_negative(std::string_view key, std::int64_t value) {
        require(value >= 0, key, "is negative");
    }

    void boot_time(std::string_view key, std::int64_t value) {
        constexpr std::int64_t most = call::BootTimes::most_ms;
        require(value >= -most && value <= most, key, "is not within 2^60 of 0");
    }

    base::Status finish() {
        require(strings_size_ <= strings_size_max, "the text of all keys together",
                "is longer than 163840 bytes");
        return status_;
    }

private:
    base::Status status_;
    std::size_t strings_size_ = 0;
};

constexpr std::size_t formats_max = 128;

// Before there is a dialog, the peer's half of it may be unknown.
bool has_dialog(call::Phase phase) {
    using enum call::Phase;
    return phase == answered || phase == established || phase == ending;
}

void identity(Rules& rules, const call::Dialog& d) {
    const bool complete = has_dialog(d.phase);
    rules.require(d.number >= 1 && d.number <= call::number_max, "number", "is not in 1..999999");
    rules.word("call_id", d.call_id, true);
    rules.line("local_uri", d.local_uri, true);
    rules.word("local_tag", d.local_tag, true);
    rules.line("remote_uri", d.remote_uri, true);
    rules.word("remote_tag", d.remote_tag, d.phase != call::Phase::inviting);
    rules.line("local_contact", d.local_contact, complete);
    rules.word("remote_target", d.remote_target, complete);
    rules.require(d.remote_target.empty() || is_sip_uri(d.remote_target, Hop::next),
                  "remote_target", "is no sip: URI for UDP or TCP");
    rules.require(d.route_set.size() <= route_set_max, "route_set", "has more than 128 entries");
    for (const std::string& route : d.route_set) {
        rules.line("route_set", route, true);
        const Hop hop = &route == d.route_set.data() ? Hop::next : Hop::later;
        rules.require(is_sip_address(route, hop), "route_set", "holds what is no sip: URI");
    }
    rules.word("outbound_proxy", d.outbound_proxy, false);
    rules.require(d.outbound_proxy.empty() || is_sip_uri(d.outbound_proxy, Hop::next),
                  "outbound_proxy", "is no sip: URI for UDP or TCP");
    rules.require(d.cseq_watermark <= cseq_max, "cseq_watermark", "is above 2147483647");
    rules.line("peer_allow", d.peer_allow);
    rules.line("peer_supported", d.peer_supported);
}

void codec(Rules& rules,
           const call::Codec& c,
           std::string_view type_key,
           std::string_view name_key,
           std::string_view rate_key) {
    rules.require(c.payload_type <= 127, type_key, "is above 127");
    rules.word(name_key, c.name, false);
    rules.require(c.clock_rate >= 1 && c.clock_rate <= 1'000'000, rate_key, "is not in 1..1000000");
}

void media(Rules& rules, const call::Media& m) {
    rules.endpoint("media.local.address", m.local);
    rules.endpoint("media.remote.address", m.remote);
    rules.endpoint("media.remote_rtcp.address", m.remote_rtcp);
    codec(rules, m.codec, "media.codec.payload_type", "media.codec.name", "media.codec.clock_rate");
    rules.require(m.receive.size() <= formats_max, "media.receive", "has more than 128 entries");
    for (const call::Codec& format : m.receive) {
        codec(rules, format, "media.receive", "media.receive", "media.receive");
    }
    if (m.telephone_event) {
        codec(rules, *m.telephone_event, "media.telephone_event.payload_type",
              "media.telephone_event.name", "media.telephone_event.clock_rate");
    }
    rules.require(m.ptime_ms >= 1 && m.ptime_ms <= 1000, "media.ptime_ms", "is not in 1..1000");
    rules.not_negative("media.segment.real_ns", m.segment.real_ns);
    rules.word("media.segment.boot_id", m.segment.boot_id, false);
    rules.line("media.source", m.source);
    rules.line("media.sink", m.sink);
}

} // namespace

base::Status check(const call::Dialog& dialog) {
    Rules rules;
    identity(rules, dialog);
    rules.endpoint("local_sip.address", dialog.local_sip);
    rules.endpoint("remote_sip.address", dialog.remote_sip);
    rules.sdp("local_sdp", dialog.local_sdp);
    rules.sdp("remote_sdp", dialog.remote_sdp);
    rules.not_negative("timer.deadline_ms", dialog.timer.deadline_ms);
    media(rules, dialog.media);
    rules.bytes(dialog.in_flight.invite);
    rules.require(dialog.in_flight.cseq <= cseq_max, "in_flight.cseq", "is above 2147483647");
    rules.bytes(dialog.in_flight.prack);
    rules.endpoint("in_flight.sent_to.address", dialog.in_flight.sent_to);
    const call::SentPrack& sent = dialog.in_flight.prack_sent;
    rules.word("in_flight.prack_sent.tag", sent.tag, sent.rseq != 0);
    rules.require(sent.cseq <= cseq_max, "in_flight.prack_sent.cseq", "is above 2147483647");
    rules.require(sent.rseq != 0 || sent == call::SentPrack{}, "in_flight.prack_sent.rseq", "is 0");
    rules.require(dialog.in_flight.status == 0 ||
                      (dialog.in_flight.status >= 300 && dialog.in_flight.status <= 699),
                  "in_flight.status", "is not 0 or in 300..699");
    rules.not_negative("started_ms", dialog.started_ms);
    rules.not_negative("established_ms", dialog.established_ms);
    rules.word("boot.id", dialog.boot.id, false);
    rules.boot_time("boot.established_ms", dialog.boot.established_ms);
    rules.boot_time("boot.deadline_ms", dialog.boot.deadline_ms);
    rules.boot_time("boot.ring_until_ms", dialog.boot.ring_until_ms);
    rules.not_negative("in_flight.ring_until_ms", dialog.in_flight.ring_until_ms);
    const std::uint16_t ring_status = dialog.in_flight.ring_status;
    rules.require(dialog.in_flight.ring_until_ms == 0 ? ring_status == 0
                                                      : ring_status >= 400 && ring_status <= 699,
                  "in_flight.ring_status", "does not fit");
    return rules.finish();
}

} // namespace revenant::journal
