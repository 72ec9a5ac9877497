// What no record may say.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/record_texts.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using base::Errc;
using journal::decode;
using journal::encode;
using nlohmann::json;

TEST_CASE("formats that may come in are whole, or the record is refused") {
    CHECK_FALSE(json::parse(encode(journal::sample_caller())).at("media").contains("receive"));
    json record = json::parse(encode(journal::sample_receiving()));
    for (const char* format : {"", "8", "8 PCMA", "8PCMA/8000", "128 PCMA/8000", "8 PCMA/0",
                               "8 PCMA/8000 ", "8 P A/8000", "-1 PCMA/8000", "8/8000 PCMA"}) {
        CAPTURE(format);
        record["media"]["receive"] = {format};
        refused(record.dump(), "media.receive");
    }
    record["media"]["receive"] = json::array({7});
    refused(record.dump(), "media.receive");
    record["media"]["receive"] = json::array();
    for (int i = 0; i < 129; ++i) {
        record["media"]["receive"].push_back("8 PCMA/8000");
    }
    refused(record.dump(), "media.receive");
}

TEST_CASE("a number that does not fit is refused, not wrapped or cut") {
    refused(with("/local_sip/port", -5), "local_sip.port");
    refused(with("/local_sip/port", 65536), "local_sip.port");
    refused(with("/cseq_watermark", 1.9), "cseq_watermark");
    refused(with("/cseq_watermark", 2147483648U), "cseq_watermark");
    refused(with("/epoch", 4294967296U), "epoch");
    refused(with("/epoch", -5), "epoch");
    refused(with("/media/codec/payload_type", 128), "media.codec.payload_type");
    refused(with("/media/codec/clock_rate", 0), "media.codec.clock_rate");
    refused(with("/media/ptime_ms", 0), "media.ptime_ms");
    refused(with("/media/segment/seq", 65536), "media.segment.seq");
    refused(with("/media/segment/real_ns", 9223372036854775808U), "media.segment.real_ns");
    refused(with("/started_ms", -1), "started_ms");
    refused(with("/number", 0), "number");
    refused(with("/number", 1'000'000), "number");
    refused(with("/schema", 0), "schema");
    refused(with("/schema", "1"), "schema");
}

TEST_CASE("every key is required and has one type") {
    const json record = json::parse(encode(journal::sample_caller()));
    const json whole = record.flatten();
    for (const auto& [pointer, value] : whole.items()) {
        if (pointer.starts_with("/route_set/")) {
            continue;
        }
        const json::json_pointer place{pointer};
        json without = record;
        without.at(place.parent_pointer()).erase(place.back());
        CHECK_MESSAGE(!decode(without.dump()), pointer);
        for (const json& other : {json::array({1}), json::object(), json(nullptr), json(-1.5)}) {
            CHECK_MESSAGE(!decode(with(pointer.c_str(), other)), pointer);
        }
    }
}

TEST_CASE("names of enums are exact") {
    refused(with("/role", "Caller"), "role");
    refused(with("/phase", ""), "phase");
    refused(with("/phase", 3), "phase");
    refused(with("/transport", "TLS"), "transport");
    refused(with("/transport", "sctp"), "transport");
    refused(with("/media/direction", "sendrecv "), "media.direction");
}

TEST_CASE("text that could break a SIP message is refused") {
    for (const char* key : {"/local_uri", "/remote_uri", "/local_contact", "/peer_allow",
                            "/peer_supported", "/media/source", "/media/sink"}) {
        refused(with(key, "a\r\nVia: x"), std::string_view{key}.substr(1, 5));
        refused(with(key, "a\nb"), "line break");
        refused(with(key, std::string{"a\0b", 3}), "NUL");
    }
    for (const char* key :
         {"/call_id", "/local_tag", "/remote_tag", "/remote_target", "/outbound_proxy"}) {
        refused(with(key, "a b"), "blank");
        refused(with(key, "a\x01"), "control");
    }
    for (const char* key : {"/call_id", "/local_tag", "/remote_tag", "/remote_target", "/local_uri",
                            "/remote_uri", "/local_contact"}) {
        refused(with(key, ""), "empty");
    }
    refused(with("/route_set/0", "<sip:a>\r\n"), "route_set");
    refused(with("/route_set/0", ""), "route_set");
    refused(with("/local_sdp", std::string{"v=0\0", 4}), "local_sdp");
}

TEST_CASE("a record names only what requests can be sent to") {
    for (const char* bad :
         {"tel:+4930123", "sips:bob@example.org", "bob@example.org", "sip:", "sip:bob@",
          "sip:bob@host:0", "sip:bob@host:65536", "sip:bob@host;transport=tls", "sip:b@h$st",
          "sip:bob@[::1", "sip:bob@[]", "sip:caf\xC3\xA9@host", "sip:bob@host;a;transport=ws"}) {
        CAPTURE(bad);
        refused(with("/remote_target", bad), "remote_target");
        refused(with("/outbound_proxy", bad), "outbound_proxy");
        refused(with("/route_set/0", std::string{"<"} + bad + ";lr>"), "route_set");
    }
    refused(with("/route_set/0", "<sip:a;lr"), "route_set");
    refused(with("/remote_target", "sip:" + std::string(1100, 'a') + "@host"), "remote_target");
    for (const char* good :
         {"sip:host", "SIP:bob@host:5060", "sip:bob@[2001:db8::1]:5060;lr",
          "sip:b:c;d@host;transport=UDP;ob", "sip:192.0.2.1;transport=tcp?a=b"}) {
        CHECK(decode(with("/remote_target", good)));
    }
    // Other proxies reach what stands behind the first one.
    CHECK(decode(with("/route_set/1", "<sips:b;lr;transport=tls>")));
    refused(with("/route_set/1", "<tel:+49;lr>"), "route_set");
}

TEST_CASE("addresses are numeric or absent") {
    for (const char* address : {"example.org", "256.1.1.1", "1.2.3", "[::1]", "::1%", "::1%a b",
                                "1.2.3.4%eth0", "127.0.0.1 "}) {
        refused(with("/remote_sip/address", address), "remote_sip.address");
    }
    for (const char* address : {"127.0.0.1", "::1", "fe80::1%eth0", "2001:db8::5"}) {
        CHECK(decode(with("/remote_sip/address", address)));
    }
    refused(with("/media/remote_rtcp/address", ""), "media.remote_rtcp.address");
    CHECK(decode(with("/media/remote_rtcp", {{"address", ""}, {"port", 0}})));
}

TEST_CASE("absurd sizes are refused") {
    refused(with("/local_sdp", std::string(200'000, 'a')), "163840");
    refused(with("/route_set", std::vector<std::string>(129, "<sip:a;lr>")), "route_set");
    CHECK(decode(with("/route_set", std::vector<std::string>(128, "<sip:a;lr>"))));
}

TEST_CASE("deep nesting and huge texts are refused at once") {
    refused(std::string(100'000, '['), "nested");
    std::string deep;
    for (int i = 0; i < 100'000; ++i) {
        deep += "{\"a\":";
    }
    refused(deep, "nested");
    refused(std::string(100'000'000, ' '), "longer");
    refused("[" + std::string(500'000, ' ') + "]", "object");
    std::string wide = "{\"a\":[0";
    for (int i = 0; i < 100'000; ++i) {
        wide += ",0";
    }
    refused(wide + "]}", "values");
}

TEST_CASE("text that is not one JSON object is refused") {
    const std::string good = encode(journal::sample_caller());
    for (const std::string& text : {std::string{}, std::string{"null"}, std::string{"[]"},
                                    std::string{"\0", 1}, good + "{}", good.substr(0, 700)}) {
        refused(text, "the record ");
    }
    refused("{\"schema\":1,\"schema\":1}", "twice");
    refused("{\"schema\":1,\"call_id\":\"\xFF\"}", "not JSON");
}

TEST_CASE("no record that was cut short is taken for a whole one") {
    const std::string good = encode(journal::sample_ringing());
    for (std::size_t size = 0; size + 2 < good.size(); ++size) {
        CHECK_FALSE(decode(std::string_view{good}.substr(0, size)));
    }
}

TEST_CASE("an error does not quote the record, which holds secrets") {
    const auto broken = decode("{\"schema\":1,\"local_sdp\":\"a=crypto:SECRET\x01");
    REQUIRE_FALSE(broken);
    CHECK(broken.error().context.find("SECRET") == std::string::npos);
}

TEST_CASE("a later schema is refused as such, whatever else it holds") {
    for (const std::string& text : {std::string{"{\"schema\":4}"}, with("/schema", 4294967295U)}) {
        const auto dialog = decode(text);
        REQUIRE_FALSE(dialog);
        CHECK(dialog.error().code == Errc::too_new);
    }
}

TEST_CASE("the escape for bytes holds bytes only") {
    CHECK(decode(with("/remote_sdp", {{"latin1", "\u00FF"}}))->remote_sdp == "\xFF");
    refused(with("/remote_sdp", {{"latin1", "\u0141"}}), "remote_sdp is not");
    refused(with("/remote_sdp", {{"latin1", 5}}), "remote_sdp");
    refused(with("/remote_sdp", {{"base64", "AAAA"}}), "remote_sdp");
    refused(with("/call_id", {{"latin1", "a\u00FF b"}}), "call_id");
}

} // namespace
