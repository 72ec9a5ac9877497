#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
using base::Errc;
using journal::decode;
using journal::encode;
using nlohmann::json;

std::string golden(const std::string& name) {
    std::ifstream file{"tests/data/records/" + name};
    REQUIRE_MESSAGE(file, "run the tests from the repository's root");
    return {std::istreambuf_iterator<char>{file}, {}};
}

// The sample record with one member replaced.
std::string with(const char* pointer, const json& value) {
    json record = json::parse(encode(journal::sample_caller()));
    record.at(json::json_pointer{pointer}) = value;
    return record.dump();
}

void refused(const std::string& text, std::string_view part) {
    const auto dialog = decode(text);
    REQUIRE_FALSE(dialog);
    CHECK(dialog.error().code == Errc::corrupt);
    CHECK_MESSAGE(dialog.error().context.find(part) != std::string::npos, dialog.error().context);
}

bool round_trips(const call::Dialog& dialog) {
    const auto again = decode(encode(dialog));
    REQUIRE_MESSAGE(again, again.error().context);
    return *again == dialog;
}

using Goldens = std::vector<std::pair<std::string, call::Dialog>>;

// Those of schema 2; later ones have them as well, and more.
Goldens goldens(const std::string& version) {
    return {{version + "_caller_established.json", journal::sample_caller()},
            {version + "_caller_receiving.json", journal::sample_receiving()},
            {version + "_callee_hold_tcp6.json", journal::sample_callee_on_hold()},
            {version + "_callee_ringing.json", journal::sample_ringing()},
            {version + "_callee_refusing.json", journal::sample_refusing()},
            {version + "_callee_pracked.json", journal::sample_pracked()},
            {version + "_caller_inviting.json", journal::sample_inviting()},
            {version + "_caller_timed.json", journal::sample_timed()},
            {version + "_callee_ringing_until.json", journal::sample_ringing_until()}};
}

TEST_CASE("the golden records of schemas 1 and 2 decode to what they were made of") {
    CHECK(decode(golden("v1_caller_established.json")) == journal::sample_caller());
    CHECK(decode(golden("v1_callee_hold_tcp6.json")) == journal::sample_callee_on_hold());
    CHECK(decode(golden("v1_callee_ringing.json")) == journal::sample_ringing());
    for (const auto& [file, dialog] : goldens("v2")) {
        INFO(file);
        CHECK(decode(golden(file)) == dialog);
    }
}

TEST_CASE("the golden records of schema 3 are what is written, byte for byte, and what is read") {
    Goldens all = goldens("v3");
    all.emplace_back("v3_caller_tls.json", journal::sample_tls());
    all.emplace_back("v3_everything.json", journal::sample_full());
    for (const auto& [file, dialog] : all) {
        INFO(file);
        if (std::getenv("REVENANT_UPDATE_GOLDEN") != nullptr) {
            std::ofstream{"tests/data/records/" + file} << encode(dialog);
        }
        CHECK(encode(dialog) == golden(file));
        CHECK(decode(golden(file)) == dialog);
    }
}

TEST_CASE(
    "a record of schema 1 or 2 has one account, UDP or TCP, and timestamps of 8000 a second") {
    for (const char* file : {"v1_caller_established.json", "v2_caller_established.json",
                             "v1_callee_hold_tcp6.json", "v2_callee_hold_tcp6.json"}) {
        INFO(file);
        json record = json::parse(golden(file));
        const auto dialog = decode(record.dump());
        REQUIRE(dialog);
        CHECK(dialog->account.empty());
        CHECK(dialog->media.segment.clock_rate == 8000);
        const bool is_tcp = std::string_view{file}.ends_with("tcp6.json");
        CHECK(dialog->transport == (is_tcp ? call::Transport::tcp : call::Transport::udp));
        CHECK(json::parse(encode(*dialog)).at("schema") == 3);
        // What schema 3 has is unknown to them, and is ignored as unknown keys are.
        record["account"] = 7;
        record["media"]["segment"]["clock_rate"] = "fast";
        CHECK(decode(record.dump()) == dialog);
        for (const int other : {1, 2, 3}) {
            json with_other = json::parse(golden(file));
            with_other["schema"] = other;
            const bool is_whole = other <= (std::string_view{file}.starts_with("v1") ? 1 : 2);
            CHECK(decode(with_other.dump()).has_value() == is_whole);
        }
    }
}

TEST_CASE("a call over TLS may be sent to sips: and over TLS, others may not") {
    json record = json::parse(encode(journal::sample_tls()));
    for (const char* good : {"sips:bob@example.org", "sip:bob@host;transport=tls",
                             "sip:bob@host;transport=TCP", "sip:bob@host"}) {
        record["remote_target"] = good;
        record["transport"] = "tls";
        CHECK(decode(record.dump()));
    }
    for (const char* bad : {"sips:bob@example.org", "sip:bob@host;transport=tls"}) {
        record["remote_target"] = bad;
        for (const char* transport : {"udp", "tcp"}) {
            record["transport"] = transport;
            refused(record.dump(), "remote_target");
        }
    }
    record["transport"] = "tls";
    record["remote_target"] = "sips:bob@host;transport=ws";
    refused(record.dump(), "remote_target");
}

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

TEST_CASE("where an INVITE went is in the record only if a name has led there, and then whole") {
    CHECK_FALSE(json::parse(encode(journal::sample_caller())).at("in_flight").contains("sent_to"));
    json record = json::parse(encode(journal::sample_inviting()));
    record["in_flight"]["sent_to"] = {{"address", "peer.example"}, {"port", 5060}};
    refused(record.dump(), "in_flight.sent_to");
    record["in_flight"]["sent_to"] = {{"address", "192.0.2.1"}};
    refused(record.dump(), "in_flight.sent_to.port");
    record["in_flight"]["sent_to"] = {{"address", "192.0.2.1"}, {"port", 0}};
    CHECK(round_trips(*decode(record.dump())));
}

TEST_CASE("a PRACK is in the record only if there is one, and then whole") {
    CHECK_FALSE(json::parse(encode(journal::sample_caller())).at("in_flight").contains("prack"));
    json record = json::parse(encode(journal::sample_inviting()));
    json& sent = record.at("in_flight").at("prack_sent");
    for (const char* key : {"tag", "rseq", "cseq", "done"}) {
        json without = record;
        without.at("in_flight").at("prack_sent").erase(key);
        refused(without.dump(), std::string{"in_flight.prack_sent."} + key);
    }
    sent["rseq"] = 0;
    refused(record.dump(), "in_flight.prack_sent.rseq");
    sent["rseq"] = 1;
    sent["tag"] = "";
    refused(record.dump(), "in_flight.prack_sent.tag");
    sent["tag"] = "t";
    sent["cseq"] = 2147483648U;
    refused(record.dump(), "in_flight.prack_sent.cseq");
    sent = nullptr;
    refused(record.dump(), "in_flight.prack_sent");
}

TEST_CASE("boot times are in the record only where they are known, and then whole") {
    CHECK_FALSE(json::parse(encode(journal::sample_caller())).contains("boot"));
    const json record = json::parse(encode(journal::sample_timed()));
    for (const char* key : {"id", "established_ms", "deadline_ms", "ring_until_ms"}) {
        json without = record;
        without.at("boot").erase(key);
        refused(without.dump(), std::string{"boot."} + key);
    }
    json other = record;
    other.at("boot").at("id") = "two words";
    refused(other.dump(), "boot.id");
    call::Dialog extreme = journal::sample_timed();
    constexpr std::int64_t most = call::BootTimes::most_ms;
    extreme.boot = {.id = "", .established_ms = -most, .deadline_ms = most, .ring_until_ms = -most};
    CHECK(round_trips(extreme));
    other.at("boot").at("id") = "";
    for (const char* key : {"established_ms", "deadline_ms", "ring_until_ms"}) {
        for (const std::int64_t beyond : {-most - 1, most + 1}) {
            json with_it = other;
            with_it.at("boot").at(key) = beyond;
            refused(with_it.dump(), std::string{"boot."} + key);
        }
    }
}

TEST_CASE("how long a call may ring is in the record with the answer that it gets then") {
    const json record = json::parse(encode(journal::sample_ringing_until()));
    CHECK_FALSE(
        json::parse(encode(journal::sample_ringing())).at("in_flight").contains("ring_status"));
    for (const json& other : {json(0), json(-1), json("soon")}) {
        json with_it = record;
        with_it.at("in_flight").at("ring_until_ms") = other;
        refused(with_it.dump(), "in_flight.ring_");
    }
    for (const json& other : {json(0), json(399), json(700)}) {
        json with_it = record;
        with_it.at("in_flight").at("ring_status") = other;
        refused(with_it.dump(), "in_flight.ring_status");
    }
}

TEST_CASE("a final response in flight is one that refuses") {
    for (const int status : {1, 100, 200, 299, 700, 65535}) {
        refused(with("/in_flight/status", status), "in_flight.status");
    }
    CHECK(decode(with("/in_flight/status", 603)));
}

TEST_CASE("any byte survives in SDP, display names and the raw INVITE") {
    std::string bytes;
    for (int i = 1; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    call::Dialog dialog = journal::sample_caller();
    dialog.local_sdp = bytes;
    dialog.remote_sdp = "s=caf\xE9\r\n";
    dialog.in_flight.invite = bytes + '\0' + "\xC3\xA9";
    dialog.remote_uri = "\"Ren\xE9 \xF0\x9F\x98\x80\" <sip:rene@example.org>";
    dialog.local_uri = "\"Ren\xC3\xA9 \\\"\t\x01\" <sip:rene@example.org>";
    dialog.route_set = {"<sip:a;lr>", "\"\xFF\" <sip:b;lr>"};
    CHECK(round_trips(dialog));
    CHECK(json::parse(encode(dialog)).at("remote_sdp") == json{{"latin1", "s=caf\u00E9\r\n"}});
    CHECK(json::parse(encode(dialog)).at("local_uri").is_string());
}

TEST_CASE("bytes that only look like UTF-8 survive") {
    for (const std::string_view text :
         {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xF0\x80\x80\x80", "\x80",
          "\xEF\xBB\xBF", "\xEF\xBF\xBF", "\x7F"}) {
        call::Dialog dialog = journal::sample_caller();
        dialog.remote_sdp = text;
        CHECK(round_trips(dialog));
    }
}

TEST_CASE("the extremes of every number survive") {
    call::Dialog dialog = journal::sample_caller();
    dialog.number = call::number_max;
    dialog.cseq_watermark = 0x7FFF'FFFF;
    dialog.remote_cseq = 0xFFFF'FFFF;
    dialog.epoch = 0xFFFF'FFFF;
    dialog.local_sip.port = 65535;
    dialog.media.ssrc = 0xFFFF'FFFF;
    dialog.media.segment = {.seq = 65535,
                            .ts = 0xFFFF'FFFF,
                            .boot_ns = std::numeric_limits<std::int64_t>::min(),
                            .real_ns = std::numeric_limits<std::int64_t>::max(),
                            .boot_id = ""};
    dialog.media.telephone_event.reset();
    CHECK(round_trips(dialog));
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

TEST_CASE("before there is a dialog the peer's half of it may be unknown") {
    call::Dialog dialog = journal::sample_caller();
    dialog.phase = call::Phase::inviting;
    dialog.remote_tag.clear();
    dialog.remote_target.clear();
    CHECK(round_trips(dialog));
    dialog.phase = call::Phase::established;
    CHECK_FALSE(journal::check(dialog));
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

TEST_CASE("the longest record that passes the rules can be read") {
    call::Dialog dialog = journal::sample_caller();
    dialog.in_flight.invite = std::string(150'000, '\x01');
    REQUIRE(journal::check(dialog));
    CHECK(encode(dialog).size() < journal::record_size_max);
    CHECK(round_trips(dialog));
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

TEST_CASE("unknown keys are ignored") {
    json record = json::parse(encode(journal::sample_caller()));
    record["later"] = {{"a", {1, 2.5, nullptr}}};
    record["media"]["later"] = "x";
    CHECK(decode(record.dump(4)) == journal::sample_caller());
}

TEST_CASE("the escape for bytes holds bytes only") {
    CHECK(decode(with("/remote_sdp", {{"latin1", "\u00FF"}}))->remote_sdp == "\xFF");
    refused(with("/remote_sdp", {{"latin1", "\u0141"}}), "remote_sdp is not");
    refused(with("/remote_sdp", {{"latin1", 5}}), "remote_sdp");
    refused(with("/remote_sdp", {{"base64", "AAAA"}}), "remote_sdp");
    refused(with("/call_id", {{"latin1", "a\u00FF b"}}), "call_id");
}

} // namespace
