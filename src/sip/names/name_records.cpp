#include "sip/names/name_records.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

#include "revenant/base/text.hpp"
#include "sip/names/cares.hpp"

namespace revenant::sip {

namespace {

// c-ares takes all bytes as unsigned ones, and counts them with an int.
const unsigned char* bytes_of(std::string_view answer) {
    return reinterpret_cast<const unsigned char*>(answer.data());
}

int size_of(std::string_view answer) {
    return static_cast<int>(answer.size());
}

std::string text_of(const unsigned char* text) {
    return text != nullptr ? reinterpret_cast<const char*>(text) : std::string{};
}

// Reads the parts of an answer that c-ares's parsers in Debian 12 leave out (RFC 1035 §4.1).
class Reader {
public:
    explicit Reader(std::string_view answer) : answer_{answer} {}

    // Nothing at the end of the answer.
    std::optional<std::uint32_t> number(std::size_t size) {
        if (answer_.size() - at_ < size) {
            return std::nullopt;
        }
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = value << 8U | static_cast<unsigned char>(answer_[at_++]);
        }
        return value;
    }

    bool skip(std::size_t size) {
        const bool fits = answer_.size() - at_ >= size;
        at_ += fits ? size : 0;
        return fits;
    }

    bool skip_name() {
        char* name = nullptr;
        long length = 0;
        if (at_ >= answer_.size() || ares_expand_name(bytes_of(answer_) + at_, bytes_of(answer_),
                                                      size_of(answer_), &name, &length) != 0) {
            return false;
        }
        ares_free_string(name);
        return skip(static_cast<std::size_t>(length));
    }

private:
    std::string_view answer_;
    std::size_t at_ = 0;
};

// Of all records in the answer section: a CNAME on the way counts as well.
std::uint32_t least_ttl_s(std::string_view answer) {
    Reader reader{answer};
    const bool has_id_and_flags = reader.skip(4);
    auto questions = reader.number(2);
    auto answers = reader.number(2);
    if (!has_id_and_flags || !questions || !answers || !reader.skip(4)) {
        return 0;
    }
    for (; *questions > 0; --*questions) {
        if (!reader.skip_name() || !reader.skip(4)) {
            return 0;
        }
    }
    std::uint32_t least = UINT32_MAX;
    for (; *answers > 0; --*answers) {
        const bool has_head = reader.skip_name() && reader.skip(4);
        const auto ttl = reader.number(4);
        const auto size = reader.number(2);
        if (!has_head || !ttl || !size || !reader.skip(*size)) {
            return 0;
        }
        least = std::min(least, *ttl);
    }
    return least;
}

std::string numeric(int family, const void* raw) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(family, raw, text.data(), text.size()) != nullptr ? text.data()
                                                                         : std::string{};
}

std::vector<NameRecord> read_a(std::string_view answer) {
    std::array<ares_addrttl, records_max> found{};
    int count = found.size();
    std::vector<NameRecord> records;
    if (ares_parse_a_reply(bytes_of(answer), size_of(answer), nullptr, found.data(), &count) == 0) {
        for (int i = 0; i < count; ++i) {
            records.push_back(
                {.address = numeric(AF_INET, &found.at(static_cast<std::size_t>(i)).ipaddr)});
        }
    }
    return records;
}

std::vector<NameRecord> read_aaaa(std::string_view answer) {
    std::array<ares_addr6ttl, records_max> found{};
    int count = found.size();
    std::vector<NameRecord> records;
    if (ares_parse_aaaa_reply(bytes_of(answer), size_of(answer), nullptr, found.data(), &count) ==
        0) {
        for (int i = 0; i < count; ++i) {
            records.push_back(
                {.address = numeric(AF_INET6, &found.at(static_cast<std::size_t>(i)).ip6addr)});
        }
    }
    return records;
}

template <typename Reply>
using Replies = std::unique_ptr<Reply, decltype([](Reply* reply) { ares_free_data(reply); })>;

std::vector<NameRecord> read_srv(std::string_view answer) {
    ares_srv_reply* first = nullptr;
    const int status = ares_parse_srv_reply(bytes_of(answer), size_of(answer), &first);
    const Replies<ares_srv_reply> owner{first};
    std::vector<NameRecord> records;
    for (const auto* one = status == 0 ? first : nullptr; one != nullptr; one = one->next) {
        records.push_back({.first = one->priority,
                           .second = one->weight,
                           .port = one->port,
                           .target = base::to_lower(one->host != nullptr ? one->host : "")});
    }
    return records;
}

std::vector<NameRecord> read_naptr(std::string_view answer) {
    ares_naptr_reply* first = nullptr;
    const int status = ares_parse_naptr_reply(bytes_of(answer), size_of(answer), &first);
    const Replies<ares_naptr_reply> owner{first};
    std::vector<NameRecord> records;
    for (const auto* one = status == 0 ? first : nullptr; one != nullptr; one = one->next) {
        records.push_back(
            {.first = one->order,
             .second = one->preference,
             .target = base::to_lower(one->replacement != nullptr ? one->replacement : ""),
             .flags = text_of(one->flags),
             .service = text_of(one->service),
             .expression = text_of(one->regexp)});
    }
    return records;
}

} // namespace

NameKey name_key(RecordType type, std::string_view name) {
    std::string lower = base::to_lower(name);
    if (lower.ends_with('.')) {
        lower.pop_back();
    }
    return {.type = type, .name = std::move(lower)};
}

std::vector<NameRecord> read_records(RecordType type, std::string_view answer) {
    constexpr std::size_t answer_max = 65535;
    if (answer.empty() || answer.size() > answer_max) {
        return {};
    }
    std::vector<NameRecord> records;
    switch (type) {
    case RecordType::a: records = read_a(answer); break;
    case RecordType::aaaa: records = read_aaaa(answer); break;
    case RecordType::srv: records = read_srv(answer); break;
    case RecordType::naptr: records = read_naptr(answer); break;
    }
    if (records.size() > records_max) {
        records.resize(records_max);
    }
    const std::uint32_t ttl_s = least_ttl_s(answer);
    for (NameRecord& record : records) {
        record.ttl_s = ttl_s;
    }
    return records;
}

} // namespace revenant::sip
