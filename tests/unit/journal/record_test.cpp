// Records of every version are read, and what is written is read again.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/record_texts.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
using namespace revenant::journal::test;
using journal::decode;
using journal::encode;
using nlohmann::json;

std::string golden(const std::string& name) {
    std::ifstream file{"tests/data/records/" + name};
    REQUIRE_MESSAGE(file, "run the tests from the repository's root");
    return {std::istreambuf_iterator<char>{file}, {}};
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

TEST_CASE("before there is a dialog the peer's half of it may be unknown") {
    call::Dialog dialog = journal::sample_caller();
    dialog.phase = call::Phase::inviting;
    dialog.remote_tag.clear();
    dialog.remote_target.clear();
    CHECK(round_trips(dialog));
    dialog.phase = call::Phase::established;
    CHECK_FALSE(journal::check(dialog));
}

TEST_CASE("the longest record that passes the rules can be read") {
    call::Dialog dialog = journal::sample_caller();
    dialog.in_flight.invite = std::string(150'000, '\x01');
    REQUIRE(journal::check(dialog));
    CHECK(encode(dialog).size() < journal::record_size_max);
    CHECK(round_trips(dialog));
}

TEST_CASE("unknown keys are ignored") {
    json record = json::parse(encode(journal::sample_caller()));
    record["later"] = {{"a", {1, 2.5, nullptr}}};
    record["media"]["later"] = "x";
    CHECK(decode(record.dump(4)) == journal::sample_caller());
}

} // namespace
