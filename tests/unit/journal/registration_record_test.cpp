// The record of a registration: what was written is read, and what could not be is not written.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/account/account.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/sample_registrations.hpp"

namespace {

using namespace revenant;
using account::Registration;
using account::Standing;
using journal::decode_registration;
using journal::encode;
using nlohmann::json;

void refused(const Registration& registration, const std::string& part) {
    const auto status = journal::check(registration);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == base::Errc::corrupt);
    CHECK_MESSAGE(status.error().context.find(part) != std::string::npos, status.error().context);
    CHECK_FALSE(decode_registration(encode(registration)));
}

TEST_CASE("the golden records of registrations are what is written, and what is read") {
    const std::vector<std::pair<std::string, Registration>> all{
        {"r1_registered.json", journal::sample_registration()},
        {"r1_trying.json", journal::sample_trying()},
        {"r1_everything.json", journal::sample_full_registration()}};
    for (const auto& [name, registration] : all) {
        INFO(name);
        const std::string path = "tests/data/records/" + name;
        if (std::getenv("REVENANT_UPDATE_GOLDEN") != nullptr) {
            std::ofstream{path} << encode(registration);
        }
        std::ifstream file{path};
        REQUIRE_MESSAGE(file, "run the tests from the repository's root");
        const std::string golden{std::istreambuf_iterator<char>{file}, {}};
        CHECK(encode(registration) == golden);
        CHECK(decode_registration(golden) == registration);
    }
}

TEST_CASE("a registration that the registrar knows of has a CSeq, and a binding an end") {
    for (const Standing standing : {Standing::registered, Standing::leaving}) {
        Registration it = journal::sample_registration();
        it.standing = standing;
        it.cseq = 0;
        refused(it, "cseq");
        it.cseq = 1;
        it.contact.clear();
        refused(it, "contact");
    }
    Registration it = journal::sample_registration();
    it.granted_s = 0;
    refused(it, "granted_s");
    it.granted_s = 1;
    it.expires_ms = 0;
    refused(it, "expires_ms");
    it.standing = Standing::leaving;
    CHECK(decode_registration(encode(it)) == it);
}

TEST_CASE("where requests go fits the transport of the registration") {
    Registration it = journal::sample_registration();
    for (const char* target : {"sips:example.org", "sip:example.org;transport=tls"}) {
        it.transport = call::Transport::tls;
        it.registrar = target;
        it.outbound_proxy = target;
        it.service_route = {"<" + std::string{target} + ">"};
        CHECK(decode_registration(encode(it)) == it);
        it.transport = call::Transport::tcp;
        refused(it, "registrar");
        it.registrar = "sip:example.org";
        refused(it, "outbound_proxy");
        it.outbound_proxy.clear();
        refused(it, "service_route");
    }
    it.service_route.clear();
    it.aor = "sips:alice@example.org"; // says who we are, not where
    it.contact = "sips:alice@192.0.2.1;transport=tls";
    CHECK(decode_registration(encode(it)) == it);
}

TEST_CASE("an account's name in a record is one that may be part of a file's name") {
    for (const char* name : {"a", "7", "a.b-c_d", "A.tmp", "x.json"}) {
        Registration it = journal::sample_registration();
        it.account = name;
        CHECK(account::is_name(name));
        CHECK(decode_registration(encode(it)) == it);
    }
    for (const std::string name :
         {"", ".", "..", "../x", "a/b", "-a", ".a", "_", "a b", "\xC3\xA9"}) {
        Registration it = journal::sample_registration();
        it.account = name;
        CHECK_FALSE(account::is_name(name));
        refused(it, "account");
    }
    CHECK_FALSE(account::is_name(std::string{"a\0b", 3}));
}

TEST_CASE("a registration of a later schema is refused as such, and unknown keys are ignored") {
    json record = json::parse(encode(journal::sample_registration()));
    record["later"] = {{"a", {1, 2.5, nullptr}}};
    record["challenges"][0]["later"] = "x";
    CHECK(decode_registration(record.dump(4)) == journal::sample_registration());
    record["schema"] = 2;
    CHECK(decode_registration(record.dump()).error().code == base::Errc::too_new);
    for (const json& bad : {json(0), json("1"), json(-1), json(1.5), json()}) {
        record["schema"] = bad;
        CHECK(decode_registration(record.dump()).error().code == base::Errc::corrupt);
    }
}

TEST_CASE("each member of a registration must be there, and those of its challenges") {
    const json whole = json::parse(encode(journal::sample_full_registration()));
    for (const auto& [key, value] : whole.items()) {
        json without = whole;
        without.erase(key);
        const auto read = decode_registration(without.dump());
        REQUIRE_FALSE(read);
        CHECK_MESSAGE(read.error().context == key + " is missing", read.error().context);
    }
    for (const auto& [key, value] : whole.at("challenges").at(0).items()) {
        json without = whole;
        without.at("challenges").at(1).erase(key);
        const auto read = decode_registration(without.dump());
        REQUIRE_FALSE(read);
        CHECK(read.error().context == "challenges." + key + " is missing");
    }
}

TEST_CASE("what is neither text nor UTF-8 in a challenge survives") {
    Registration it = journal::sample_registration();
    it.challenges.front().realm = "caf\xE9 \"\\\t\x01";
    it.last_reason = "\xFF";
    CHECK(decode_registration(encode(it)) == it);
    it.challenges.front().nonce = "a\r\nVia: x";
    refused(it, "challenges.nonce");
}

} // namespace
