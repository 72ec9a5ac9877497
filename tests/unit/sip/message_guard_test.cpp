// What is refused, and what is taken away, before the library acts on a message.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

using namespace revenant;

namespace {

class Message {
public:
    Message(std::string_view start,
            std::string_view to_tag,
            std::string_view more,
            std::string_view body = {}) {
        const std::string text = fmt::format(
            "{}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: "
            "<sip:bob@example.org>;tag=a\r\n"
            "To: <sip:alice@192.0.2.10>{}\r\nCall-ID: id\r\n{}Content-Length: {}\r\n\r\n{}",
            start, to_tag, more, body.size(), body);
        message_.reset(
            msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size())));
        REQUIRE(message_);
    }

    [[nodiscard]] sip_t& sip() const { return *sip_object(message_.get()); }

private:
    std::unique_ptr<msg_t, sip::Calls<msg_destroy>> message_;
};

Message request(std::string_view method, std::string_view more, std::string_view to_tag = {}) {
    return {fmt::format("{} sip:alice@192.0.2.10 SIP/2.0", method), to_tag,
            fmt::format("CSeq: 1 {}\r\n{}", method, more)};
}

Message answer(int status, std::string_view more, std::string_view body = {}) {
    return {fmt::format("SIP/2.0 {} X", status), ";tag=b",
            fmt::format("CSeq: 1 INVITE\r\n{}", more), body};
}

std::string refusal(const Message& message, const sip::Reach& reach = {}) {
    const char* name = sip::unacceptable(message.sip(), reach);
    return name != nullptr ? name : "";
}

constexpr std::string_view bad_uris[] = {"tel:+4930123",
                                         "sips:bob@example.org",
                                         "http://example.org/",
                                         "mailto:bob@example.org",
                                         "sip:bob@example.org:0",
                                         "sip:bob@example.org:65536",
                                         "sip:bob@example.org;transport=tls",
                                         "sip:bob@example.org;transport=ws",
                                         "sip:bob@example.org;transport",
                                         "sip:bob@example.org;maddr=a$b",
                                         "sip:bob@exa$mple",
                                         "sip:caf\xC3\xA9@example.org"};

} // namespace

TEST_CASE("a request whose sender cannot be reached at its Contact is refused by that name") {
    for (const std::string_view uri : bad_uris) {
        CAPTURE(uri);
        const std::string contact = fmt::format("Contact: <{}>\r\n", uri);
        for (const char* method : {"INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"}) {
            CHECK(refusal(request(method, contact)) == "Contact");
            CHECK(refusal(request(method, contact, ";tag=b")) == "Contact");
        }
    }
    CHECK(refusal(request("INVITE", "Contact: *\r\n")) == "Contact");
    for (const char* good :
         {"<sip:bob@192.0.2.1:5062>", "sip:bob@[2001:db8::1]", "<sip:host;transport=TCP;ob>"}) {
        CHECK(refusal(request("INVITE", fmt::format("Contact: {}\r\n", good))).empty());
    }
}

TEST_CASE("where a Contact means nothing, a bad one is taken away") {
    for (const char* method : {"ACK", "BYE", "INFO", "CANCEL", "OPTIONS", "PRACK", "MESSAGE"}) {
        const Message message = request(method, "Contact: <tel:1>\r\nRecord-Route: <tel:1>\r\n");
        CHECK(refusal(message).empty());
        sip::take_off_unusable(message.sip());
        CHECK(message.sip().sip_contact == nullptr);
        CHECK(message.sip().sip_record_route == nullptr);
    }
}

TEST_CASE("the next hop of a route set must be one that can be reached from here") {
    for (const std::string_view uri : bad_uris) {
        const std::string bad = fmt::format("Record-Route: <{}>\r\n", uri);
        CAPTURE(bad);
        CHECK(refusal(request("INVITE", bad)) == "Record-Route");
        CHECK(refusal(request("INVITE", bad, ";tag=b")).empty()); // it changes no route set
    }
    // The first is ours when we are called, the last when we have called.
    const std::string_view ours_first = "Record-Route: <sip:a;lr>, <sips:b;lr;transport=tls>\r\n";
    const std::string_view ours_last = "Record-Route: <sips:b;lr;transport=tls>, <sip:a;lr>\r\n";
    CHECK(refusal(request("INVITE", ours_first)).empty());
    CHECK(refusal(request("INVITE", ours_last)) == "Record-Route");
    const Message good = answer(200, ours_last);
    sip::take_off_unusable(good.sip());
    CHECK(good.sip().sip_record_route != nullptr);
    const Message bad = answer(200, ours_first);
    sip::take_off_unusable(bad.sip());
    CHECK(bad.sip().sip_record_route == nullptr);
    CHECK(sip::fault_of(bad.sip()) ==
          "its Record-Route is a sips: URI, and TLS is not spoken here");
    std::string many;
    for (int i = 0; i < 65; ++i) {
        many += "Record-Route: <sip:a;lr>\r\n";
    }
    CHECK(refusal(request("INVITE", many)) == "Record-Route");
}

TEST_CASE("a provisional response loses a description that cannot be read") {
    constexpr std::string_view readable =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 8\r\n";
    const auto keeps = [](int status, std::string_view type, std::string_view body) {
        const Message message = answer(status, type, body);
        sip::take_off_unusable(message.sip());
        return message.sip().sip_payload != nullptr;
    };
    constexpr std::string_view sdp = "Content-Type: application/sdp\r\n";
    for (const std::string_view bad : {"\r\n", "v=0\r\nm=audio 4000 RTP/\r\n", "v=1\r\n"}) {
        CAPTURE(bad);
        CHECK_FALSE(keeps(183, sdp, bad));
        CHECK_FALSE(keeps(199, sdp, bad));
        CHECK(keeps(183, "Content-Type: text/plain\r\n", bad));
        CHECK(keeps(200, sdp, bad)); // which ends the call, and the machine says how
    }
    CHECK_FALSE(keeps(183, {}, "v=0\r\nm=audio 4000 RTP/\r\n"));
    CHECK(keeps(183, sdp, readable));
    CHECK(keeps(183, {}, readable));
}

TEST_CASE("an answer loses what cannot be used, and remembers what it was") {
    for (const int status : {180, 183, 200, 202, 302}) {
        const Message message =
            answer(status, "Contact: <tel:+49301>\r\nRequire: 100rel\r\nRSeq: 7\r\n");
        CHECK(refusal(message).empty());
        sip::take_off_unusable(message.sip());
        CHECK(message.sip().sip_contact == nullptr);
        CHECK(message.sip().sip_rseq == nullptr); // its PRACK would go nowhere
        CHECK(sip::fault_of(message.sip()) == "its Contact is no sip: URI");
    }
    const Message sound = answer(200, "Contact: <sip:bob@192.0.2.1>\r\n");
    sip::take_off_unusable(sound.sip());
    CHECK(sound.sip().sip_contact != nullptr);
    CHECK(sip::fault_of(sound.sip()).empty());
}

TEST_CASE("a Contact is within reach of the listener that the message came in at") {
    const sip::Reach v4{.v6 = false};
    const sip::Reach v6{.v4 = false};
    const sip::Reach udp{.tcp = false};
    const sip::Reach tcp{.udp = false};
    const auto refused = [](std::string_view uri, const sip::Reach& reach) {
        const std::string contact = fmt::format("Contact: <{}>\r\n", uri);
        const bool within = sip::is_within(request("INVITE", contact).sip(), reach);
        for (const char* method : {"INVITE", "UPDATE"}) {
            CHECK(within == refusal(request(method, contact), reach).empty());
            CHECK(within == refusal(request(method, contact, ";tag=b"), reach).empty());
        }
        return !within;
    };
    CHECK(refused("sip:bob@[2001:db8::1]", v4));
    CHECK(refused("sip:bob@192.0.2.1;maddr=[2001:db8::1]", v4));
    CHECK_FALSE(refused("sip:bob@[2001:db8::1]", v6));
    CHECK(refused("sip:bob@192.0.2.1", v6));
    CHECK_FALSE(refused("sip:bob@192.0.2.1", v4));
    CHECK(refused("sip:bob@192.0.2.1;transport=tcp", udp));
    CHECK(refused("sip:bob@192.0.2.1;transport=UDP", tcp));
    CHECK_FALSE(refused("sip:bob@192.0.2.1;transport=tcp", tcp));
    CHECK_FALSE(refused("sip:bob@192.0.2.1", tcp));  // goes where it can
    CHECK_FALSE(refused("sip:bob@example.org", v6)); // who knows
}

TEST_CASE("behind a route set the next hop is within reach, and the Contact need not be") {
    const sip::Reach v4{.v6 = false};
    const std::string_view near = "Record-Route: <sip:192.0.2.1;lr>, <sip:[2001:db8::1];lr>\r\n";
    const std::string_view far = "Record-Route: <sip:[2001:db8::1];lr>, <sip:192.0.2.1;lr>\r\n";
    const std::string contact = "Contact: <sip:bob@[2001:db8::2]>\r\n";
    CHECK(refusal(request("INVITE", contact + std::string{near}), v4).empty());
    CHECK(refusal(request("INVITE", contact + std::string{far}), v4) == "Record-Route");
    // In a dialog it makes no route set.
    CHECK(refusal(request("INVITE", contact + std::string{near}, ";tag=b"), v4) == "Contact");
    const auto fault = [&](std::string_view more) {
        const Message message = answer(200, more);
        CHECK(refusal(message, v4).empty());
        sip::take_off_unusable(message.sip(), v4);
        CHECK((message.sip().sip_contact == nullptr) == !sip::fault_of(message.sip()).empty());
        return sip::fault_of(message.sip());
    };
    CHECK(fault(contact) == "its Contact is IPv6, and this --listen is IPv4");
    CHECK(fault(contact + std::string{near}) ==
          "its Record-Route is IPv6, and this --listen is IPv4");
    CHECK(fault(contact + std::string{far}).empty());
}

TEST_CASE("header fields that a Contact asks for never come into our requests") {
    const Message message = request("INVITE", "Contact: <sip:bob@192.0.2.1?Route=%3Csip:x%3E>\r\n");
    sip::take_off_unusable(message.sip());
    CHECK(sip::uri_text(message.sip().sip_contact->m_url) == "sip:bob@192.0.2.1");
}

TEST_CASE("a CSeq is below 2^31") {
    const auto numbered = [](std::uint32_t cseq) {
        return Message{"OPTIONS sip:alice@192.0.2.10 SIP/2.0", "",
                       fmt::format("CSeq: {} OPTIONS\r\n", cseq)};
    };
    CHECK(refusal(numbered(0x7FFF'FFFF)).empty());
    CHECK(refusal(numbered(0x8000'0000)) == "CSeq");
    CHECK(refusal(numbered(0xFFFF'FFFF)) == "CSeq");
}

TEST_CASE("a response with a status that is none is not heard") {
    for (const int status : {0, 1, 99, 700, 999, 65736, 2147483646}) {
        CHECK(refusal(answer(status, "")) == "Status");
    }
    for (const int status : {100, 199, 200, 606, 699}) {
        CHECK(refusal(answer(status, "")).empty());
    }
}

TEST_CASE("a reliable response without a tag or a number is one that is not reliable") {
    const auto stays = [](std::string_view to_tag, std::uint32_t rseq) {
        const Message message{"SIP/2.0 180 Ringing", to_tag,
                              fmt::format("CSeq: 1 INVITE\r\nRSeq: {}\r\n", rseq)};
        sip::take_off_unusable(message.sip());
        return message.sip().sip_rseq != nullptr;
    };
    CHECK(stays(";tag=b", 1));
    CHECK(stays(";tag=b", 0x7FFF'FFFF));
    CHECK_FALSE(stays(";tag=b", 0));
    CHECK_FALSE(stays(";tag=b", 0x8000'0000));
    CHECK_FALSE(stays("", 1));
}

TEST_CASE("a challenge without parameters is none") {
    const Message message =
        answer(401, "WWW-Authenticate: Digest\r\nWWW-Authenticate: Digest realm=\"a\"\r\n"
                    "Proxy-Authenticate: Digest\r\nAuthentication-Info: \r\n");
    sip::take_off_unusable(message.sip());
    REQUIRE(message.sip().sip_www_authenticate != nullptr);
    CHECK(message.sip().sip_www_authenticate->au_params != nullptr);
    CHECK(message.sip().sip_www_authenticate->au_next == nullptr);
    CHECK(message.sip().sip_proxy_authenticate == nullptr);
    CHECK(message.sip().sip_authentication_info == nullptr);
}

TEST_CASE("times are bounded before the library adds to them") {
    const auto session = [](unsigned long seconds) {
        const Message message = answer(200, fmt::format("Session-Expires: {}\r\n", seconds));
        sip::take_off_unusable(message.sip());
        return message.sip().sip_session_expires->x_delta;
    };
    CHECK(session(0) == 90);
    CHECK(session(1800) == 1800);
    CHECK(session(4'294'967'295) == 604'800);
    const Message message = answer(422, "Min-SE: 4294967295\r\n");
    sip::take_off_unusable(message.sip());
    CHECK(message.sip().sip_min_se->min_delta == 604'800);
}

TEST_CASE("a datagram that begins with no character of a message is none") {
    using namespace std::string_view_literals;
    for (const std::string_view bad :
         {""sv, "\0"sv, "\0\1\0\0"sv, "\1\1"sv, "\x7F"sv, "\xF8x"sv, "\xFF"sv}) {
        CHECK_FALSE(sip::may_be_message(bad));
    }
    for (const std::string_view good : {"\r\n\r\n"sv, "INVITE"sv, "SIP/2.0"sv, " x"sv}) {
        CHECK(sip::may_be_message(good));
    }
}
