// DNS records as plain values, read from a name server's answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace revenant::sip {

// The types that RFC 3263 needs, with their numbers on the wire.
enum class RecordType : std::uint16_t { a = 1, aaaa = 28, srv = 33, naptr = 35 };

// A question: name in lower case, without the last full stop.
struct NameKey {
    RecordType type = RecordType::a;
    std::string name;

    // clang-tidy 14 takes the 0 in it for a null pointer.
    friend auto operator<=>(const NameKey&,
                            const NameKey&) = default; // NOLINT(modernize-use-nullptr)
};

[[nodiscard]] NameKey name_key(RecordType type, std::string_view name);

struct NameRecord {
    std::uint32_t ttl_s = 0;
    std::string address = {};    // A, AAAA: numeric
    std::uint16_t first = 0;     // SRV: priority; NAPTR: order
    std::uint16_t second = 0;    // SRV: weight; NAPTR: preference
    std::uint16_t port = 0;      // SRV
    std::string target = {};     // SRV, NAPTR: a name
    std::string flags = {};      // NAPTR
    std::string service = {};    // NAPTR
    std::string expression = {}; // NAPTR

    friend bool operator==(const NameRecord&, const NameRecord&) = default;
};

inline constexpr std::size_t records_max = 32; // more of a name is cut off

// The records of that type in an answer, as it came over the wire; none where it cannot be read.
// Each has the least TTL of the answer.
[[nodiscard]] std::vector<NameRecord> read_records(RecordType type, std::string_view answer);

} // namespace revenant::sip
