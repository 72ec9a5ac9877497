// From messages to events: what the call machine gets to know of what came in.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/call/event.hpp"
#include "sip/sofia/arrival.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/nua.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
namespace event = call::event;

namespace {

constexpr const char* stand_in = "stand-in-secret";

struct MessageFree {
    void operator()(msg_t* message) const { msg_destroy(message); }
};

// A message as it would come from the wire.
class Message {
public:
    explicit Message(std::string_view start_line,
                     std::string_view rest,
                     std::string_view body = {}) {
        const std::string text =
            fmt::format("{}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
                        "From: \"Bob\" <sip:bob@example.org>;tag=from-tag\r\n"
                        "To: <sip:alice@192.0.2.10>;tag=to-tag\r\nCall-ID: id@host\r\n{}"
                        "Content-Length: {}\r\n\r\n{}",
                        start_line, rest, body.size(), body);
        message_.reset(
            msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size())));
        REQUIRE(message_);
    }

    [[nodiscard]] const sip_t* sip() const { return sip_object(message_.get()); }

    [[nodiscard]] std::optional<call::Event>
    decoded(nua_event_t what, int status, std::uint32_t own_interval_s = 0) const {
        return sip::decode({.event = what, .status = status, .phrase = "Phrase", .sip = sip()},
                           stand_in, own_interval_s);
    }

private:
    std::unique_ptr<msg_t, MessageFree> message_;
};

template <typename T>
T as(const std::optional<call::Event>& e) {
    REQUIRE(e);
    REQUIRE(std::holds_alternative<T>(*e));
    return std::get<T>(*e);
}

constexpr std::string_view dialog_headers =
    "CSeq: 42 INVITE\r\nContact: <sip:bob@198.51.100.7:5062>\r\n"
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nAllow: INVITE, BYE\r\nSupported: timer\r\n"
    "Session-Expires: 600;refresher=uac\r\nMin-SE: 90\r\nContent-Type: application/sdp\r\n";

Message ok(std::string_view more = {}) {
    return Message{"SIP/2.0 200 OK", std::string{dialog_headers} + std::string{more},
                   call::peer_session().text};
}

} // namespace

TEST_CASE("a 2xx to an INVITE brings dialog, timer and answer") {
    const auto e = as<event::Answered>(ok().decoded(nua_r_invite, 200));
    CHECK(e.cseq == 42);
    CHECK_FALSE(e.from_stand_in);
    CHECK(e.facts.remote_tag == "to-tag");
    CHECK(e.facts.remote_target == "sip:bob@198.51.100.7:5062");
    CHECK(e.facts.route_set == std::vector<std::string>{"<sip:p2;lr>", "<sip:p1;lr>"});
    CHECK(e.facts.session_expires_s == 600);
    CHECK(e.facts.min_se_s == 90);
    CHECK(e.facts.refresher == call::Refresher::local);
    REQUIRE(e.answer);
    CHECK(e.answer->text == call::peer_session().text);
}

TEST_CASE("the stand-in is known by its whole name only") {
    const auto from = [](std::string_view server) {
        return as<event::Answered>(
                   ok(fmt::format("Server: {}\r\n", server)).decoded(nua_r_invite, 200))
            .from_stand_in;
    };
    CHECK(from(stand_in));
    CHECK_FALSE(from("stand-in"));
    CHECK_FALSE(from("stand-in-secret2"));
    CHECK_FALSE(from("Asterisk"));
}

TEST_CASE("who refreshes: named by who sent the request") {
    const auto in_answer = [](std::string_view who) {
        return as<event::Answered>(
                   Message{"SIP/2.0 200 OK",
                           fmt::format("CSeq: 1 INVITE\r\nSession-Expires: 600{}\r\n", who)}
                       .decoded(nua_r_invite, 200))
            .facts.refresher;
    };
    CHECK(in_answer(";refresher=uac") == call::Refresher::local);
    CHECK(in_answer(";refresher=uas") == call::Refresher::remote);
    const auto in_request = [](std::string_view who) {
        return as<event::Offered>(Message{"INVITE sip:alice@192.0.2.10 SIP/2.0",
                                          fmt::format("CSeq: 1 INVITE\r\nSupported: timer\r\n"
                                                      "Session-Expires: 600{}\r\n",
                                                      who)}
                                      .decoded(nua_i_invite, 100))
            .facts.refresher;
    };
    CHECK(in_request(";refresher=uac") == call::Refresher::remote);
    CHECK(in_request(";refresher=uas") == call::Refresher::local);
}

TEST_CASE("a 2xx without Session-Expires leaves the refreshing to us") {
    const Message plain{"SIP/2.0 200 OK", "CSeq: 1 INVITE\r\n"};
    const auto ours = as<event::Answered>(plain.decoded(nua_r_invite, 200, 1800)).facts;
    CHECK(ours.session_expires_s == 1800);
    CHECK(ours.refresher == call::Refresher::local);
    CHECK(as<event::Answered>(plain.decoded(nua_r_invite, 200, 0)).facts.session_expires_s == 0);
}

TEST_CASE("answers to an INVITE become events by their status") {
    const Message ringing{"SIP/2.0 180 Ringing", "CSeq: 2 INVITE\r\n"};
    const auto progress = as<event::Progress>(ringing.decoded(nua_r_invite, 180));
    CHECK(progress.status == 180);
    CHECK(progress.remote_tag == "to-tag");
    const Message busy{"SIP/2.0 503 Busy", "CSeq: 2 INVITE\r\nRetry-After: 7\r\n"};
    const auto failed = as<event::Failed>(busy.decoded(nua_r_invite, 503));
    CHECK(failed.status == 503);
    CHECK(failed.cseq == 2);
    CHECK(failed.retry_after_s == 7);
    const Message small{"SIP/2.0 422 Too Small", "CSeq: 2 INVITE\r\nMin-SE: 900\r\n"};
    CHECK(as<event::Failed>(small.decoded(nua_r_invite, 422)).min_se_s == 900);
    CHECK(as<event::Progress>(small.decoded(nua_r_invite, 100)).min_se_s == 900);
}

TEST_CASE("a challenge names its realm, without quotes and control characters") {
    for (const char* header : {"WWW-Authenticate", "Proxy-Authenticate"}) {
        const Message m{
            "SIP/2.0 401 Unauthorized",
            fmt::format("CSeq: 2 INVITE\r\n{}: Digest realm=\"my realm\", nonce=\"n\"\r\n",
                        header)};
        CHECK(as<event::Challenged>(m.decoded(nua_r_invite, 401)).realm == "my realm");
        CHECK(as<event::Challenged>(m.decoded(nua_r_bye, 407)).realm == "my realm");
    }
    CHECK(sip::realm_of(nullptr).empty());
}

TEST_CASE("local answers without a message are events too") {
    const sip::Raw timeout{.event = nua_r_invite, .status = 408, .phrase = "Timeout"};
    CHECK(as<event::Failed>(sip::decode(timeout, stand_in, 0)).status == 408);
    const sip::Raw bye{.event = nua_r_bye, .status = 503};
    CHECK(as<event::RequestDone>(sip::decode(bye, stand_in, 0)).method == "BYE");
}

TEST_CASE("requests of the peer become events unless the stack has refused them") {
    const Message info{"INFO sip:alice@192.0.2.10 SIP/2.0",
                       "CSeq: 9 INFO\r\nContent-Type: text/plain\r\n", "a\x1B[1mb\r\n"};
    const auto got = as<event::PeerInfo>(info.decoded(nua_i_info, 200));
    CHECK(got.body == "a\x1b[1mb"); // made printable where it is shown
    CHECK(got.content_type == "text/plain");
    CHECK(got.cseq == 9);
    const Message bye{"BYE sip:alice@192.0.2.10 SIP/2.0",
                      "CSeq: 10 BYE\r\nReason: SIP;cause=200;text=\"done\"\r\n"};
    CHECK(as<event::PeerBye>(bye.decoded(nua_i_bye, 100)).cseq == 10);
    CHECK(as<event::PeerBye>(bye.decoded(nua_i_bye, 100)).reason.find("cause=200") !=
          std::string::npos);
    const Message invite{"INVITE sip:alice@192.0.2.10 SIP/2.0", dialog_headers,
                         call::peer_session().text};
    const auto offered = as<event::Offered>(invite.decoded(nua_i_invite, 100));
    CHECK_FALSE(offered.update);
    CHECK(offered.facts.remote_tag == "from-tag");
    CHECK(offered.facts.route_set == std::vector<std::string>{"<sip:p1;lr>", "<sip:p2;lr>"});
    CHECK(offered.offer);
    CHECK(as<event::Offered>(invite.decoded(nua_i_update, 100)).update);
    CHECK_FALSE(invite.decoded(nua_i_invite, 488));
    CHECK_FALSE(bye.decoded(nua_i_bye, 481));
    CHECK_FALSE(info.decoded(nua_i_info, 400));
}

TEST_CASE("an INVITE outside a dialog is the beginning of a record") {
    const Message invite{"INVITE sip:alice@192.0.2.10 SIP/2.0", dialog_headers,
                         call::peer_session().text};
    const auto decoded =
        sip::decode_invite({.event = nua_i_invite, .status = 100, .sip = invite.sip()}, 1800);
    REQUIRE(decoded);
    const call::Dialog& d = *decoded;
    CHECK(d.role == call::Role::callee);
    CHECK(d.phase == call::Phase::ringing);
    CHECK(d.call_id == "id@host");
    CHECK(d.remote_uri == "\"Bob\" <sip:bob@example.org>");
    CHECK(d.remote_tag == "from-tag");
    CHECK(d.local_uri == "<sip:alice@192.0.2.10>");
    CHECK(d.remote_target == "sip:bob@198.51.100.7:5062");
    CHECK(d.route_set == std::vector<std::string>{"<sip:p1;lr>", "<sip:p2;lr>"});
    CHECK(d.remote_cseq == 42);
    CHECK(d.timer.interval_s == 600);
    CHECK(d.timer.refresher == call::Refresher::remote);
    CHECK(d.transport == call::Transport::udp);
}

TEST_CASE("an INVITE is a call over what its topmost Via names, and none over what is not ours") {
    using call::Transport;
    const auto transport_by = [](const std::string& via) -> std::optional<Transport> {
        const Message invite{fmt::format("INVITE sip:alice@192.0.2.10 SIP/2.0\r\n"
                                         "Via: {} 198.51.100.7;branch=z9hG4bK0",
                                         via),
                             dialog_headers, call::peer_session().text};
        const auto decoded =
            sip::decode_invite({.event = nua_i_invite, .status = 100, .sip = invite.sip()}, 1800);
        return decoded ? std::optional{decoded->transport} : std::nullopt;
    };
    CHECK(transport_by("SIP/2.0/UDP") == Transport::udp);
    CHECK(transport_by("SIP/2.0/TCP") == Transport::tcp);
    CHECK(transport_by("sip / 2.0 / tcp") == Transport::tcp);
    CHECK(transport_by("SIP/2.0/TLS") == Transport::tls);
    for (const char* other : {"SIP/2.0/SCTP", "SIP/2.0/WS", "SIP/2.0/WSS", "SIP/2.0/TLS-SCTP",
                              "SIP/2.0/XTCP", "SIP/3.0/UDP"}) {
        CAPTURE(other);
        CHECK_FALSE(transport_by(other));
    }
    CHECK_FALSE(sip::transport_of(nullptr));
}

TEST_CASE("another body is no offer, a broken description is one that nobody can play") {
    const Message text{"INVITE sip:alice@192.0.2.10 SIP/2.0",
                       "CSeq: 1 INVITE\r\nContent-Type: text/plain\r\n", call::peer_session().text};
    CHECK_FALSE(as<event::Offered>(text.decoded(nua_i_invite, 100)).offer);
    const Message broken{"INVITE sip:alice@192.0.2.10 SIP/2.0",
                         "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n", "v=x"};
    const auto offer = as<event::Offered>(broken.decoded(nua_i_invite, 100)).offer;
    REQUIRE(offer);
    CHECK(offer->streams.empty());
}

TEST_CASE("state changes: ready and terminated count, the rest does not") {
    const auto with_state = [](int state) {
        tagi_t tags[] = {{NUTAG_CALLSTATE(state)}, {SOATAG_LOCAL_SDP_STR("v=0\r\n")}, {TAG_END()}};
        return sip::decode({.event = nua_i_state, .status = 200, .phrase = "OK", .tags = tags},
                           stand_in, 0);
    };
    CHECK(as<event::Ready>(with_state(nua_callstate_ready)).local_sdp == "v=0\r\n");
    CHECK(as<event::Terminated>(with_state(nua_callstate_terminated)).status == 200);
    CHECK_FALSE(with_state(nua_callstate_calling));
    CHECK_FALSE(with_state(nua_callstate_completed));
}
