// Calls and events for the tests of the call machine: one well-formed Call for each state, and
// effects as text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/clock.hpp"
#include "revenant/base/overloaded.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

inline constexpr base::Now sample_now{.boot_ns = 5'000'000'000'000,
                                      .real_ns = 1'790'000'000'000'000'000};
inline constexpr std::uint32_t sample_watermark = 5000;

inline const std::vector<Codec>& our_codecs() {
    static const std::vector<Codec> codecs{{.payload_type = 8, .name = "PCMA", .clock_rate = 8000},
                                           {.payload_type = 0, .name = "PCMU", .clock_rate = 8000}};
    return codecs;
}

// The peer's description with one audio stream: as text, and as the reader would find it.
inline RemoteSession peer_session(Direction direction = Direction::sendrecv,
                                  std::uint32_t version = 1,
                                  const std::vector<Codec>& codecs = our_codecs(),
                                  std::uint16_t port = 40000) {
    const std::string address = "198.51.100.7";
    RemoteStream stream{.media = "audio",
                        .profile = "RTP/AVP",
                        .formats = {},
                        .rtp = {.address = address, .port = port},
                        .rtcp = {.address = address, .port = static_cast<std::uint16_t>(port + 1)},
                        .direction = direction,
                        .codecs = codecs,
                        .ptime_ms = 20};
    std::string maps;
    for (const Codec& codec : codecs) {
        stream.formats += (stream.formats.empty() ? "" : " ") + std::to_string(codec.payload_type);
        maps +=
            fmt::format("a=rtpmap:{} {}/{}\r\n", codec.payload_type, codec.name, codec.clock_rate);
    }
    return {.text =
                fmt::format("v=0\r\no=bob 77 {} IN IP4 {}\r\ns=-\r\nc=IN IP4 {}\r\nt=0 0\r\n"
                            "m=audio {} RTP/AVP {}\r\n{}a={}\r\n",
                            version, address, address, port, stream.formats, maps, name(direction)),
            .streams = {stream}};
}

// A description that no phone with G.711 only can answer.
inline RemoteSession foreign_session() {
    return peer_session(Direction::sendrecv, 1,
                        {{.payload_type = 18, .name = "G729", .clock_rate = 8000}});
}

inline PeerFacts peer_facts() {
    return {.remote_tag = "peer-tag",
            .remote_target = "sip:bob@198.51.100.7:5062",
            .route_set = {"<sip:proxy.example.org;lr>"},
            .allow = "INVITE, ACK, BYE",
            .supported = "timer",
            .source = {.address = "198.51.100.7", .port = 5062},
            .session_expires_s = 1800,
            .min_se_s = 90,
            .refresher = Refresher::local};
}

// As the Switchboard begins a call that we make.
inline Call new_call(Role role = Role::caller) {
    Call call;
    call.codecs = our_codecs();
    Dialog& d = call.dialog;
    d.number = 7;
    d.role = role;
    d.call_id = "call-7@192.0.2.10";
    d.local_uri = "<sip:alice@192.0.2.10>";
    d.local_tag = "our-tag";
    d.remote_uri = "<sip:bob@example.org>";
    d.remote_target = "sip:bob@example.org";
    d.local_contact = "<sip:alice@192.0.2.10:5060>";
    d.cseq_watermark = sample_watermark;
    d.epoch = 1;
    d.local_sip = {.address = "192.0.2.10", .port = 5060};
    d.media.local = {.address = "192.0.2.10", .port = 20004};
    d.media.codec = our_codecs().front();
    d.media.ssrc = 4811;
    d.media.source = "silence";
    d.media.sink = "null";
    d.in_flight.cseq = role == Role::caller ? 2 : 1;
    if (role == Role::caller) {
        d.local_sdp =
            write_offer(d.media.ssrc, d.media.local, call.codecs, 20, Direction::sendrecv);
    } else {
        d.phase = Phase::ringing;
        d.remote_tag = "peer-tag";
        d.remote_target = "sip:bob@198.51.100.7:5062";
        d.remote_sip = {.address = "198.51.100.7", .port = 5062};
        d.remote_cseq = 1;
    }
    return call;
}

// A call in the middle of which the program could be: what the events that lead to `state` make of
// it, put together by hand so that a step that goes wrong shows in one row only.
inline Call sample_call(State state) {
    using enum State;
    const bool callee =
        state == alerting || state == answering || state == refusing || state == replaying;
    Call call = new_call(callee ? Role::callee : Role::caller);
    call.state = state;
    Dialog& d = call.dialog;
    if (state == idle || state == inviting || state == proceeding || state == canceling) {
        d.started_ms = state == idle ? 0 : sample_now.real_ms() - 1000;
        return call;
    }
    d.started_ms = sample_now.real_ms() - 60'000;
    if (callee) {
        d.in_flight = {.invite = "INVITE sip:alice@192.0.2.10 SIP/2.0\r\n", .cseq = 1};
    }
    if (state == refusing) {
        d.in_flight.status = 486;
    }
    if (state == alerting) {
        call.has_offer = true;
        call.offer = peer_session();
        return call;
    }
    d.phase = state == answering                     ? Phase::answered
              : state == replaying                   ? Phase::ringing
              : state == ending || state == refusing ? Phase::ending
                                                     : Phase::established;
    d.established_ms = sample_now.real_ms() - 50'000;
    d.boot.established_ms = sample_now.boot_ms() - 50'000;
    d.remote_tag = "peer-tag";
    d.remote_target = "sip:bob@198.51.100.7:5062";
    d.remote_sip = {.address = "198.51.100.7", .port = 5062};
    d.remote_sdp = peer_session().text;
    if (!callee) {
        d.in_flight = {};
    }
    d.media.remote = {.address = "198.51.100.7", .port = 40000};
    d.media.remote_rtcp = {.address = "198.51.100.7", .port = 40001};
    d.local_sdp = write_offer(d.media.ssrc, d.media.local, call.codecs, 20, Direction::sendrecv);
    if (state == modifying) {
        call.agreed_sdp = d.local_sdp;
        call.offered_hold = true;
        d.hold.local = true;
        d.local_sdp = redirect(d.local_sdp, Direction::sendonly);
        d.in_flight.reoffer = true;
    }
    const bool back = state == restoring || state == replaying || state == restored ||
                      state == resuming || state == detour || state == retrying;
    if (back) {
        d.resumes = 1;
        d.epoch = 2;
        call.cseq_base = sample_watermark;
        d.cseq_watermark = sample_watermark + cseq_block;
        call.settled = false;
        if (state != restoring && state != replaying && state != restored) {
            call.attempts = 1;
            call.resume_deadline_ms = sample_now.boot_ms() + 30'000;
        }
    }
    return call;
}

inline constexpr std::array all_states{
    State::idle,      State::inviting,  State::proceeding,  State::canceling, State::alerting,
    State::answering, State::refusing,  State::established, State::modifying, State::ending,
    State::restoring, State::replaying, State::restored,    State::resuming,  State::detour,
    State::retrying,  State::over};

inline std::string_view name(effect::Otherwise otherwise) {
    switch (otherwise) {
    case effect::Otherwise::abandon: return "abandon";
    case effect::Otherwise::report: return "report";
    case effect::Otherwise::go_on: return "go_on";
    }
    return "?";
}

// An effect's name and what of its parameters matters.
inline std::string text_of(const Effect& e) {
    const auto parameters = base::Overloaded{
        [](const effect::Persist& p) { return fmt::format("({})", name(p.otherwise)); },
        [](const effect::Respond& r) { return fmt::format("({})", r.status); },
        [](const effect::Reply& r) {
            return fmt::format("({}{})", r.status, r.with_sdp ? " sdp" : "");
        },
        [](const effect::AcknowledgeAgain& a) { return fmt::format("({})", a.cseq); },
        [](const effect::StartRetryTimer& t) { return fmt::format("({} ms)", t.delay_ms); },
        [](const effect::StartRingTimer& t) { return fmt::format("({} ms)", t.delay_ms); },
        [](const effect::Tell& t) {
            std::string inside{name(t.news)};
            inside += t.status != 0 ? fmt::format(" {}", t.status) : "";
            inside += !t.detail.empty() ? fmt::format(" \"{}\"", t.detail) : "";
            return "(" + inside + ")";
        },
        [](const effect::Settle& s) {
            return fmt::format("({}{})", name(s.verdict),
                               s.reason.empty() ? "" : fmt::format(" \"{}\"", s.reason));
        },
        [](const effect::SendInfo& i) { return fmt::format("({})", i.content_type); },
        [](const auto& /*nothing*/) { return std::string{}; }};
    return std::string{name(e)} + std::visit(parameters, e);
}

// The names alone: "Persist Acknowledge RunMedia".
inline std::string names_of(const std::vector<Effect>& effects) {
    std::string text;
    for (const Effect& e : effects) {
        text += (text.empty() ? "" : " ") + std::string{name(e)};
    }
    return text;
}

template <typename T>
bool has(const std::vector<Effect>& effects) {
    for (const Effect& e : effects) {
        if (std::holds_alternative<T>(e)) {
            return true;
        }
    }
    return false;
}

template <typename T>
const T* first(const std::vector<Effect>& effects) {
    for (const Effect& e : effects) {
        if (const T* found = std::get_if<T>(&e)) {
            return found;
        }
    }
    return nullptr;
}

// Whether a Persist stands somewhere before the first `T`, which must be there.
template <typename T>
bool stored_before(const std::vector<Effect>& effects) {
    bool stored = false;
    for (const Effect& e : effects) {
        if (std::holds_alternative<T>(e)) {
            return stored;
        }
        stored = stored || std::holds_alternative<effect::Persist>(e);
    }
    return false;
}

} // namespace revenant::call
