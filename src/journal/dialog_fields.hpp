// What a dialog record is, said once: how each member of a Dialog is called, where it stands, what
// it may hold, and when it is left out. encode(), decode() and check() are visitors of this, and so
// are the tests; state/README.md tells the same in words.
//
// A visitor has these members; the rules are for the one that checks:
//   text(key, string, TextRule)    texts(key, strings, ListRule)    formats(key, codecs)
//   number(key, integer, Range)    flag(key, bool)                  name(key, enum)
//   number(key, integer, OneOf)    number(key, integer): any
//   object(key, struct)            object_or_null(key, optional struct)
//   bool has(key, members…)        the members are in the record: all are, or none is. They are
//                                  left out when all have their defaults. `key` is the first one's
//   bool since(schema)             what follows is in records of this schema and later ones; in
//                                  others it has its default
// The order is that in the record. A rule may ask for any member: who checks has them all.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "journal/record_rules.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// To be read from, or to be filled.
template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <typename V, Is<call::Endpoint> T>
void fields(V& v, T& endpoint) {
    v.text("address", endpoint.address, rule::filled(rule::address, endpoint.port != 0));
    v.number("port", endpoint.port);
}

template <typename V, Is<call::Codec> T>
void fields(V& v, T& codec) {
    v.number("payload_type", codec.payload_type, Range{.max = 127});
    v.text("name", codec.name, rule::word);
    v.number("clock_rate", codec.clock_rate, Range{.min = 1, .max = 1'000'000});
}

template <typename V, Is<call::Segment> T>
void fields(V& v, T& segment) {
    v.number("seq", segment.seq);
    v.number("ts", segment.ts);
    if (v.since(3)) { // before, all there was had 8000
        v.number("clock_rate", segment.clock_rate, OneOf{call::Segment::clock_rates});
    }
    v.number("boot_ns", segment.boot_ns);
    v.number("real_ns", segment.real_ns, rule::time);
    v.text("boot_id", segment.boot_id, rule::word);
}

template <typename V, Is<call::Media> T>
void fields(V& v, T& media) {
    v.object("local", media.local);
    v.object("remote", media.remote);
    v.object("remote_rtcp", media.remote_rtcp);
    v.object("codec", media.codec);
    if (v.has("receive", media.receive)) {
        v.formats("receive", media.receive);
    }
    v.object_or_null("telephone_event", media.telephone_event);
    v.number("ptime_ms", media.ptime_ms, Range{.min = 1, .max = 1000});
    v.name("direction", media.direction);
    v.number("ssrc", media.ssrc);
    v.object("segment", media.segment);
    v.text("source", media.source, rule::line);
    v.text("sink", media.sink, rule::line);
}

template <typename V, Is<call::Hold> T>
void fields(V& v, T& hold) {
    v.flag("local", hold.local);
    v.flag("remote", hold.remote);
}

template <typename V, Is<call::SessionTimer> T>
void fields(V& v, T& timer) {
    v.number("interval_s", timer.interval_s);
    v.number("min_se_s", timer.min_se_s);
    v.name("refresher", timer.refresher);
    v.number("deadline_ms", timer.deadline_ms, rule::time);
}

template <typename V, Is<call::SentPrack> T>
void fields(V& v, T& prack) {
    v.text("tag", prack.tag, rule::filled(rule::word));
    v.number("rseq", prack.rseq, Range{.min = 1, .max = rule::whole<std::uint32_t>.max});
    v.number("cseq", prack.cseq, rule::cseq);
    v.flag("done", prack.done);
}

template <typename V, Is<call::InFlight> T>
void fields(V& v, T& in_flight) {
    v.text("invite", in_flight.invite, rule::bytes);
    v.number("cseq", in_flight.cseq, rule::cseq);
    if (v.since(
            2)) { // before, no INVITE was canceled or refused, and calls that rang were given up
        v.flag("canceled", in_flight.canceled);
        v.number("status", in_flight.status, Range{.min = 300, .max = 699, .or_zero = true});
    }
    v.flag("reoffer", in_flight.reoffer);
    if (v.has("prack", in_flight.prack)) {
        v.text("prack", in_flight.prack, rule::bytes);
    }
    if (v.has("sent_to", in_flight.sent_to)) {
        v.object("sent_to", in_flight.sent_to);
    }
    if (v.has("ring_until_ms", in_flight.ring_until_ms, in_flight.ring_status)) {
        v.number("ring_until_ms", in_flight.ring_until_ms, Range{.min = 1});
        v.number("ring_status", in_flight.ring_status, Range{.min = 400, .max = 699});
    }
    if (v.has("prack_sent", in_flight.prack_sent)) {
        v.object("prack_sent", in_flight.prack_sent);
    }
}

template <typename V, Is<call::BootTimes> T>
void fields(V& v, T& boot) {
    constexpr Range instant{.min = -call::BootTimes::most_ms, .max = call::BootTimes::most_ms};
    v.text("id", boot.id, rule::word);
    v.number("established_ms", boot.established_ms, instant);
    v.number("deadline_ms", boot.deadline_ms, instant);
    v.number("ring_until_ms", boot.ring_until_ms, instant);
}

// Before there is a dialog, the peer's half of it may be unknown.
[[nodiscard]] constexpr bool has_dialog(call::Phase phase) {
    using enum call::Phase;
    switch (phase) {
    case inviting:
    case ringing: return false;
    case answered:
    case established:
    case ending: return true;
    }
    return true;
}

[[nodiscard]] constexpr Hop next_hop(call::Transport transport) {
    using enum call::Transport;
    switch (transport) {
    case udp:
    case tcp: return Hop::next;
    case tls: return Hop::next_tls;
    }
    return Hop::next;
}

// Who speaks with whom (RFC 3261 §12).
template <typename V, Is<call::Dialog> T>
void identity_fields(V& v, T& dialog) {
    const bool complete = has_dialog(dialog.phase);
    const Hop hop = next_hop(dialog.transport);
    v.text("call_id", dialog.call_id, rule::filled(rule::word));
    v.text("local_uri", dialog.local_uri, rule::filled(rule::line));
    v.text("local_tag", dialog.local_tag, rule::filled(rule::word));
    v.text("remote_uri", dialog.remote_uri, rule::filled(rule::line));
    v.text("remote_tag", dialog.remote_tag,
           rule::filled(rule::word, dialog.phase != call::Phase::inviting));
    v.text("local_contact", dialog.local_contact, rule::filled(rule::line, complete));
    v.text("remote_target", dialog.remote_target, rule::filled(rule::uri(hop), complete));
    v.texts("route_set", dialog.route_set, rule::route_set(hop));
    v.text("outbound_proxy", dialog.outbound_proxy, rule::uri(hop));
}

template <typename V, Is<call::Dialog> T>
void fields(V& v, T& dialog) {
    v.number("number", dialog.number, Range{.min = 1, .max = call::number_max});
    v.name("role", dialog.role);
    v.name("phase", dialog.phase);
    if (v.since(3)) {
        v.text("account", dialog.account, rule::name);
    }
    identity_fields(v, dialog);
    v.number("cseq_watermark", dialog.cseq_watermark, rule::cseq);
    v.number("epoch", dialog.epoch);
    v.number("remote_cseq", dialog.remote_cseq);
    v.text("peer_allow", dialog.peer_allow, rule::line);
    v.text("peer_supported", dialog.peer_supported, rule::line);
    v.name("transport", dialog.transport);
    v.object("local_sip", dialog.local_sip);
    v.object("remote_sip", dialog.remote_sip);
    v.text("local_sdp", dialog.local_sdp, rule::sdp);
    v.text("remote_sdp", dialog.remote_sdp, rule::sdp);
    v.object("hold", dialog.hold);
    v.object("timer", dialog.timer);
    v.object("media", dialog.media);
    v.object("in_flight", dialog.in_flight);
    v.number("started_ms", dialog.started_ms, rule::time);
    v.number("established_ms", dialog.established_ms, rule::time);
    if (v.has("boot", dialog.boot)) {
        v.object("boot", dialog.boot);
    }
    v.number("resumes", dialog.resumes);
}

} // namespace revenant::journal
