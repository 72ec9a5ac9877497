// URIs from users and from the wire.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "sip/sofia/uri_text.hpp"

using namespace revenant;
using base::Errc;
using sip::read_uri;

namespace {

sip::Uri uri(std::string_view text) {
    const auto read = read_uri(text);
    INFO(text);
    REQUIRE(read);
    return *read;
}

void refused(std::string_view text, Errc code) {
    const auto read = read_uri(text);
    CAPTURE(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == code);
    CHECK_FALSE(read.error().context.empty());
    for (const char c : read.error().context) {
        CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
}

} // namespace

TEST_CASE("a URI may be written short") {
    CHECK(uri("bob@192.0.2.1").text == "sip:bob@192.0.2.1");
    CHECK(uri("bob@192.0.2.1:5070").port == 5070);
    CHECK(uri("  sip:bob@example.org  ").text == "sip:bob@example.org");
    CHECK(uri("<sip:bob@example.org>").text == "sip:bob@example.org");
    CHECK(uri("SIP:bob@example.org").host == "example.org");
    CHECK(uri("192.0.2.1").host == "192.0.2.1");
    CHECK(uri("192.0.2.1").user.empty());
    CHECK(uri("example.org:5070").port == 5070);
    CHECK(uri("bob@my_box-2").host == "my_box-2");
}

TEST_CASE("the parts of a URI") {
    const sip::Uri whole = uri("sip:bob@[2001:db8::1]:5071;transport=TCP;lr");
    CHECK(whole.user == "bob");
    CHECK(whole.host == "2001:db8::1");
    CHECK(whole.port == 5071);
    CHECK(whole.transport == call::Transport::tcp);
    CHECK(whole.loose_route);
    CHECK(uri("sip:a@b").port == 0);
    CHECK_FALSE(uri("sip:a@b").transport);
    CHECK_FALSE(uri("sip:a@b").loose_route);
    CHECK(uri("sip:a@b;transport=udp").transport == call::Transport::udp);
}

TEST_CASE("what is no SIP URI is refused, and the text says why") {
    for (const char* bad :
         {"", " ", "<>", "sip:", "sip:bob@", "bob smith@example.org", "sip:bob@host:0",
          "sip:bob@host:65536", "sip:bob@host:port", "sip:b\r\nVia: x@host", "sip:b\x1B[2J@host",
          "caf\xC3\xA9@host", "sip:bob@exa mple", "bob@@", "bob@ho$t", "bob@[::1", "bob@[x]"}) {
        refused(bad, Errc::bad_input);
    }
    refused("sip:" + std::string(2000, 'a') + "@host", Errc::bad_input);
}

TEST_CASE("what this phone does not speak is said to be unsupported") {
    refused("sips:bob@example.org", Errc::unsupported);
    refused("tel:+4930123", Errc::unsupported);
    refused("sip:bob@example.org;transport=tls", Errc::unsupported);
    refused("sip:bob@example.org;transport=ws", Errc::unsupported);
}

TEST_CASE("a host and port as they stand in a URI") {
    CHECK(sip::host_port({.address = "192.0.2.1", .port = 5060}) == "192.0.2.1:5060");
    CHECK(sip::host_port({.address = "2001:db8::1", .port = 5060}) == "[2001:db8::1]:5060");
}

TEST_CASE("a display name that goes on in the next line is one line") {
    const sip::Home home = sip::make_home();
    const url_t* url = url_make(home.get(), "sip:bob@example.org");
    CHECK(sip::name_addr("\"Bob\r\n Smith\"", url) == "\"Bob   Smith\" <sip:bob@example.org>");
}

TEST_CASE("a name-addr keeps the display name as it came, and drops the rest") {
    const sip::Home home = sip::make_home();
    const url_t* url = url_make(home.get(), "sip:bob@example.org");
    CHECK(sip::name_addr("\"Bob\"", url) == "\"Bob\" <sip:bob@example.org>");
    CHECK(sip::name_addr(nullptr, url) == "<sip:bob@example.org>");
    CHECK(sip::name_addr("", url) == "<sip:bob@example.org>");
    CHECK(sip::uri_text(nullptr).empty());
    CHECK(sip::text_of(nullptr).empty());
}

TEST_CASE("the route set is reversed for the caller and in order for the callee") {
    const sip::Home home = sip::make_home();
    const sip_record_route_t* headers =
        sip_record_route_make(home.get(), "<sip:p1;lr>, <sip:p2;lr>, \"x\" <sip:p3>");
    REQUIRE(headers != nullptr);
    CHECK(sip::routes(headers, false) ==
          std::vector<std::string>{"<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3>"});
    CHECK(sip::routes(headers, true) ==
          std::vector<std::string>{"<sip:p3>", "<sip:p2;lr>", "<sip:p1;lr>"});
    CHECK(sip::routes(nullptr, true).empty());
}
