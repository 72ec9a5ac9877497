// What a registrar's answer says of our binding, among all else that it says.
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/registrar_answer.hpp"

using namespace revenant;

namespace {

account::Registration record() {
    account::Registration r;
    r.account = "work";
    r.aor = "sip:alice@example.org";
    r.cseq = 7;
    r.contact = "sip:alice@192.0.2.10:5060";
    r.instance_id = "urn:uuid:00000000-0000-4000-8000-000000000001";
    r.local = {.address = "192.0.2.10", .port = 5060};
    r.asked_s = 3600;
    return r;
}

account::event::Answered read(int status, std::string_view more, std::string_view via = {}) {
    const std::string text = fmt::format(
        "SIP/2.0 {} X\r\nVia: SIP/2.0/UDP 192.0.2.10{};branch=z9hG4bK1\r\nFrom: "
        "<sip:alice@example.org>;tag=a\r\nTo: <sip:alice@example.org>;tag=b\r\nCall-ID: id\r\n"
        "CSeq: 7 REGISTER\r\n{}Content-Length: 0\r\n\r\n",
        status, via, more);
    const std::unique_ptr<msg_t, sip::Calls<msg_destroy>> message{
        msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()))};
    REQUIRE(message);
    return sip::read_registrar_answer(record(), *sip_object(message.get()));
}

std::optional<std::uint32_t> granted(std::string_view more) {
    const auto answer = read(200, more);
    REQUIRE(answer.grant);
    return answer.grant->expires_s;
}

} // namespace

TEST_CASE("what is granted is what our own Contact says") {
    CHECK(granted("Contact: <sip:alice@192.0.2.10:5060>;expires=60\r\nExpires: 3600\r\n") == 60U);
    CHECK(granted("Contact: <sip:bob@192.0.2.99>;expires=3000, "
                  "<sip:alice@192.0.2.10:5060>;expires=60\r\n") == 60U);
    CHECK(granted("Contact: <sip:alice@192.0.2.10:5060>\r\nExpires: 90\r\n") == 90U);
    CHECK(granted("Contact: <sip:alice@192.0.2.10:5060>\r\n") == 3600U);
    CHECK(granted("Contact: <sip:alice@192.0.2.10:5060>;expires=0\r\n") == 0U);
}

TEST_CASE("our own Contact is known in another spelling") {
    CHECK(granted("Contact: <SIP:alice@192.0.2.10>;expires=61\r\n") == 61U);
    CHECK(granted("Contact: \"Alice\" <sip:%61lice@192.0.2.10:5060>;q=0.5;expires=62\r\n") == 62U);
    CHECK(granted("Contact: <sip:x@10.0.0.1:9>;expires=63;+sip.instance=\"<urn:uuid:00000000-"
                  "0000-4000-8000-000000000001>\"\r\n") == 63U);
}

TEST_CASE("others' Contacts are not ours, however many") {
    CHECK_FALSE(granted("Contact: <sip:alice@192.0.2.11:5060>;expires=60\r\n"));
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += fmt::format("Contact: <sip:alice@192.0.2.99:{}>;expires=5\r\n", 6000 + i);
    }
    CHECK_FALSE(granted(many));
    CHECK(granted(many + "Contact: <sip:alice@192.0.2.10:5060>;expires=64\r\n") == 64U);
    CHECK_FALSE(granted("Contact: <tel:+4930123>;expires=60\r\n"));
    CHECK_FALSE(granted("Contact: *\r\n"));
}

TEST_CASE("without a Contact at all it is Expires that is meant") {
    CHECK(granted("Expires: 65\r\n") == 65U);
    CHECK_FALSE(granted(""));
}

TEST_CASE("what is no number of seconds says nothing, and what is too large is the most") {
    for (const char* bad : {"soon", "-5", "", "1e3", "0x10"}) {
        CAPTURE(bad);
        const std::string contact =
            fmt::format("Contact: <sip:alice@192.0.2.10:5060>;expires={}\r\n", bad);
        CHECK(granted(contact + "Expires: 66\r\n") == 66U);
        CHECK(granted(contact) == 3600U);
    }
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    for (const char* large : {"4294967295", "4294967296", "99999999999999999999"}) {
        CHECK(granted(fmt::format("Contact: <sip:alice@192.0.2.10:5060>;expires={}\r\n", large)) ==
              most);
    }
}

TEST_CASE("the routes are those of the answer, or none that could be used") {
    const auto routes = [](std::string_view more) { return read(200, more).grant->service_route; };
    CHECK(routes("Service-Route: <sip:p1.example.org;lr>, <sip:p2.example.org;lr>\r\n") ==
          std::vector<std::string>{"<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>"});
    CHECK(routes("").empty());
    CHECK(routes("Service-Route: <tel:+49301>\r\n").empty());
    std::string many = "Service-Route: <sip:p;lr>";
    for (int i = 0; i < 20; ++i) {
        many += ", <sip:p;lr>";
    }
    CHECK(routes(many + "\r\n").empty());
    CHECK(read(200, "Path: <sip:edge.example.org;lr>\r\n").grant->path ==
          std::vector<std::string>{"<sip:edge.example.org;lr>"});
}

TEST_CASE("a GRUU is taken of our own Contact only") {
    CHECK(read(200, "Contact: <sip:alice@192.0.2.10:5060>;pub-gruu=\"sip:alice@example.org;gr=x\""
                    ";expires=60\r\n")
              .grant->gruu == "sip:alice@example.org;gr=x");
    CHECK(read(200, "Contact: <sip:bob@192.0.2.9>;pub-gruu=\"sip:bob@example.org;gr=x\"\r\n")
              .grant->gruu.empty());
    CHECK(read(200, "Contact: <sip:alice@192.0.2.10:5060>;pub-gruu=\"tel:1\"\r\n")
              .grant->gruu.empty());
}

TEST_CASE("the address that the registrar has seen is that of our Via") {
    const auto seen = [](std::string_view via) { return read(200, "", via).grant->public_address; };
    CHECK(seen(";received=198.51.100.7;rport=4711") ==
          call::Endpoint{.address = "198.51.100.7", .port = 4711});
    CHECK(seen(";rport=4711") == call::Endpoint{.address = "192.0.2.10", .port = 4711});
    CHECK(seen(";received=nobody;rport=4711").port == 0);
    CHECK(seen(";received=198.51.100.7;rport=70000").port == 0);
    CHECK(seen(";rport").port == 0);
}

TEST_CASE("a refusal says when, how long at least, and where else") {
    CHECK(read(503, "Retry-After: 120\r\n").retry_after_s == 120);
    CHECK(read(423, "Min-Expires: 1800\r\n").min_expires_s == 1800);
    CHECK(read(302, "Contact: <sip:other.example.org:5070>\r\n").moved_to ==
          "sip:other.example.org:5070");
    CHECK(read(302, "Contact: <tel:110>\r\n").moved_to.empty());
    CHECK_FALSE(read(403, "").grant);
    CHECK(read(403, "").cseq == 7);
}
