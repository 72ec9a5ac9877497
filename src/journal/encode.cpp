// A Dialog as text, written straight, because this stands before every message that must not leave
// unstored: a document tree would cost several times as much.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "journal/names.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

// An object, not a function: an algorithm calls a function through a pointer, once a character.
constexpr auto needs_escape = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
};

void append_escape(std::string& out, char c) {
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    auto run = text.begin();
    while (true) {
        const auto stop = std::find_if(run, text.end(), needs_escape);
        out.append(run, stop);
        if (stop == text.end()) {
            break;
        }
        append_escape(out, *stop);
        run = stop + 1;
    }
    out += '"';
}

// Each byte as the character of the same number, so that ASCII stays readable.
std::string latin1_to_utf8(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0U | (byte >> 6U));
            out += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return out;
}

void append_text(std::string& out, std::string_view text) {
    if (base::is_utf8(text)) {
        append_quoted(out, text);
        return;
    }
    out += "{\"latin1\":";
    append_quoted(out, latin1_to_utf8(text));
    out += '}';
}

// Commas and nesting. The members of the outermost object stand on a line each.
class Writer {
public:
    explicit Writer(std::string& out) : out_{out} {}

    void open() {
        out_ += '{';
        ++depth_;
        first_ = true;
    }

    void open(std::string_view name) {
        key(name);
        open();
    }

    void close() {
        --depth_;
        out_ += depth_ == 0 ? "\n}\n" : "}";
        first_ = false;
    }

    void key(std::string_view name) {
        if (!first_) {
            out_ += ',';
        }
        first_ = false;
        if (depth_ == 1) {
            out_ += '\n';
        }
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }

    void text(std::string_view name, std::string_view value) {
        key(name);
        append_text(out_, value);
    }

    void number(std::string_view name, std::int64_t value) {
        key(name);
        const fmt::format_int digits{value};
        out_.append(digits.data(), digits.size());
    }

    void flag(std::string_view name, bool value) {
        key(name);
        out_ += value ? "true" : "false";
    }

    template <typename E>
    void name(std::string_view key_name, E value) {
        key(key_name);
        append_quoted(out_, name_of(value));
    }

    void null(std::string_view name) {
        key(name);
        out_ += "null";
    }

    void texts(std::string_view name, const std::vector<std::string>& values) {
        key(name);
        std::string_view separator = "[";
        for (const std::string& value : values) {
            out_ += separator;
            append_text(out_, value);
            separator = ",";
        }
        out_ += values.empty() ? "[]" : "]";
    }

private:
    std::string& out_; // borrowed for one encode()
    int depth_ = 0;
    bool first_ = true;
};

void put(Writer& w, std::string_view key, const call::Endpoint& endpoint) {
    w.open(key);
    w.text("address", endpoint.address);
    w.number("port", endpoint.port);
    w.close();
}

void put(Writer& w, std::string_view key, const call::Codec& codec) {
    w.open(key);
    w.number("payload_type", codec.payload_type);
    w.text("name", codec.name);
    w.number("clock_rate", codec.clock_rate);
    w.close();
}

void put(Writer& w, std::string_view key, const call::Segment& segment) {
    w.open(key);
    w.number("seq", segment.seq);
    w.number("ts", segment.ts);
    w.number("boot_ns", segment.boot_ns);
    w.number("real_ns", segment.real_ns);
    w.text("boot_id", segment.boot_id);
    w.close();
}

void put(Writer& w, std::string_view key, const call::Media& media) {
    w.open(key);
    put(w, "local", media.local);
    put(w, "remote", media.remote);
    put(w, "remote_rtcp", media.remote_rtcp);
    put(w, "codec", media.codec);
    if (!media.receive.empty()) {
        std::vector<std::string> formats;
        for (const call::Codec& codec : media.receive) {
            formats.push_back(
                fmt::format("{} {}/{}", codec.payload_type, codec.name, codec.clock_rate));
        }
        w.texts("receive", formats);
    }
    if (media.telephone_event) {
        put(w, "telephone_event", *media.telephone_event);
    } else {
        w.null("telephone_event");
    }
    w.number("ptime_ms", media.ptime_ms);
    w.name("direction", media.direction);
    w.number("ssrc", media.ssrc);
    put(w, "segment", media.segment);
    w.text("source", media.source);
    w.text("sink", media.sink);
    w.close();
}

void put(Writer& w, std::string_view key, const call::Hold& hold) {
    w.open(key);
    w.flag("local", hold.local);
    w.flag("remote", hold.remote);
    w.close();
}

void put(Writer& w, std::string_view key, const call::SessionTimer& timer) {
    w.open(key);
    w.number("interval_s", timer.interval_s);
    w.number("min_se_s", timer.min_se_s);
    w.name("refresher", timer.refresher);
    w.number("deadline_ms", timer.deadline_ms);
    w.close();
}

void put(Writer& w, std::string_view key, const call::InFlight& in_flight) {
    w.open(key);
    w.text("invite", in_flight.invite);
    w.number("cseq", in_flight.cseq);
    w.flag("canceled", in_flight.canceled);
    w.number("status", in_flight.status);
    w.flag("reoffer", in_flight.reoffer);
    if (!in_flight.prack.empty()) {
        w.text("prack", in_flight.prack);
    }
    if (in_flight.sent_to != call::Endpoint{}) {
        put(w, "sent_to", in_flight.sent_to);
    }
    if (in_flight.ring_until_ms != 0) {
        w.number("ring_until_ms", in_flight.ring_until_ms);
        w.number("ring_status", in_flight.ring_status);
    }
    if (in_flight.prack_sent.rseq != 0) {
        w.open("prack_sent");
        w.text("tag", in_flight.prack_sent.tag);
        w.number("rseq", in_flight.prack_sent.rseq);
        w.number("cseq", in_flight.prack_sent.cseq);
        w.flag("done", in_flight.prack_sent.done);
        w.close();
    }
    w.close();
}

void put(Writer& w, std::string_view key, const call::BootTimes& boot) {
    w.open(key);
    w.text("id", boot.id);
    w.number("established_ms", boot.established_ms);
    w.number("deadline_ms", boot.deadline_ms);
    w.number("ring_until_ms", boot.ring_until_ms);
    w.close();
}

void put_identity(Writer& w, const call::Dialog& dialog) {
    w.text("call_id", dialog.call_id);
    w.text("local_uri", dialog.local_uri);
    w.text("local_tag", dialog.local_tag);
    w.text("remote_uri", dialog.remote_uri);
    w.text("remote_tag", dialog.remote_tag);
    w.text("local_contact", dialog.local_contact);
    w.text("remote_target", dialog.remote_target);
    w.texts("route_set", dialog.route_set);
    w.text("outbound_proxy", dialog.outbound_proxy);
}

} // namespace

std::string encode(const call::Dialog& dialog) {
    std::string out;
    out.reserve(4096);
    Writer w{out};
    w.open();
    w.number("schema", schema);
    w.number("number", dialog.number);
    w.name("role", dialog.role);
    w.name("phase", dialog.phase);
    put_identity(w, dialog);
    w.number("cseq_watermark", dialog.cseq_watermark);
    w.number("epoch", dialog.epoch);
    w.number("remote_cseq", dialog.remote_cseq);
    w.text("peer_allow", dialog.peer_allow);
    w.text("peer_supported", dialog.peer_supported);
    w.name("transport", dialog.transport);
    put(w, "local_sip", dialog.local_sip);
    put(w, "remote_sip", dialog.remote_sip);
    w.text("local_sdp", dialog.local_sdp);
    w.text("remote_sdp", dialog.remote_sdp);
    put(w, "hold", dialog.hold);
    put(w, "timer", dialog.timer);
    put(w, "media", dialog.media);
    put(w, "in_flight", dialog.in_flight);
    w.number("started_ms", dialog.started_ms);
    w.number("established_ms", dialog.established_ms);
    if (dialog.boot != call::BootTimes{}) {
        put(w, "boot", dialog.boot);
    }
    w.number("resumes", dialog.resumes);
    w.close();
    return out;
}

} // namespace revenant::journal
