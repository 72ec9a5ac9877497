// What a name server says: read as it is meant, and nothing in it does harm.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "sip/names/name_records.hpp"

using namespace revenant::sip;

namespace {

std::string u16(unsigned value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)};
}

std::string u32(std::uint32_t value) {
    return u16(value >> 16U) + u16(value & 0xFFFFU);
}

std::string text(std::string_view value) {
    return std::string(1, static_cast<char>(value.size())) + std::string{value};
}

std::string encoded(std::string_view name) {
    std::string bytes;
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        bytes += text(label);
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return bytes + std::string(1, '\0');
}

struct Rr {
    std::string name;
    unsigned type;
    std::uint32_t ttl;
    std::string data;
};

std::string answer(std::string_view name, RecordType type, const std::vector<Rr>& records) {
    std::string bytes = u16(1) + u16(0x8180) + u16(1) + u16(static_cast<unsigned>(records.size())) +
                        u16(0) + u16(0) + encoded(name) + u16(static_cast<unsigned>(type)) + u16(1);
    for (const Rr& rr : records) {
        bytes += encoded(rr.name) + u16(rr.type) + u16(1) + u32(rr.ttl) +
                 u16(static_cast<unsigned>(rr.data.size())) + rr.data;
    }
    return bytes;
}

const std::string address{"\xC0\x00\x02\x07", 4};

} // namespace

TEST_CASE("the question for a name is in lower case and without its last full stop") {
    CHECK(name_key(RecordType::a, "Peer.EXAMPLE.") ==
          NameKey{.type = RecordType::a, .name = "peer.example"});
    CHECK(name_key(RecordType::srv, "").name.empty());
}

TEST_CASE("addresses are read, with the least TTL on the way to them") {
    const std::string bytes =
        answer("peer.example", RecordType::a,
               {{"peer.example", 5, 30, encoded("host.example")},
                {"host.example", 1, 300, address},
                {"host.example", 1, 300, std::string{"\xC0\x00\x02\x08", 4}}});
    const auto records = read_records(RecordType::a, bytes);
    REQUIRE(records.size() == 2);
    CHECK(records.at(0).address == "192.0.2.7");
    CHECK(records.at(1).address == "192.0.2.8");
    CHECK(records.at(0).ttl_s == 30);
    const std::string six =
        answer("peer.example", RecordType::aaaa,
               {{"peer.example", 28, 60,
                 std::string{"\x20\x01\x0d\xb8", 4} + std::string(11, '\0') + "\x01"}});
    REQUIRE(read_records(RecordType::aaaa, six).size() == 1);
    CHECK(read_records(RecordType::aaaa, six).front().address == "2001:db8::1");
}

TEST_CASE("services are read with their TTL") {
    const std::string bytes = answer(
        "_sip._udp.example", RecordType::srv,
        {{"_sip._udp.example", 33, 77, u16(10) + u16(20) + u16(5070) + encoded("A.example")}});
    CHECK(read_records(RecordType::srv, bytes) ==
          std::vector<NameRecord>{
              {.ttl_s = 77, .first = 10, .second = 20, .port = 5070, .target = "a.example"}});
}

TEST_CASE("naming authority pointers are read") {
    const std::string bytes = answer("example", RecordType::naptr,
                                     {{"example", 35, 9,
                                       u16(1) + u16(2) + text("s") + text("SIP+D2U") + text("") +
                                           encoded("_sip._udp.example")}});
    CHECK(read_records(RecordType::naptr, bytes) ==
          std::vector<NameRecord>{{.ttl_s = 9,
                                   .first = 1,
                                   .second = 2,
                                   .target = "_sip._udp.example",
                                   .flags = "s",
                                   .service = "SIP+D2U"}});
}

TEST_CASE("half an answer, and none, have no records or those that are whole") {
    const std::string whole =
        answer("peer.example", RecordType::a, {{"peer.example", 1, 300, address}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(read_records(RecordType::a, std::string_view{whole}.substr(0, size)).empty());
    }
    CHECK(read_records(RecordType::srv, whole).empty());
}

TEST_CASE("an answer with a thousand addresses is cut off") {
    const std::vector<Rr> many(1000, Rr{"a", 1, 300, address});
    CHECK(read_records(RecordType::a, answer("a", RecordType::a, many)).size() <= records_max);
    const std::vector<Rr> services(1000,
                                   Rr{"a", 33, 300, u16(1) + u16(1) + u16(5060) + encoded("b")});
    CHECK(read_records(RecordType::srv, answer("a", RecordType::srv, services)).size() <=
          records_max);
}
