#include "sip/names/name_cache.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <sofia-resolv/sres.h>
// A parameter in this C header has a name that C++ has for itself.
#define template model
#include <sofia-resolv/sres_cache.h>
#undef template
#include <sofia-resolv/sres_record.h>

namespace revenant::sip {

namespace {

// A record of the library's: its own structure, and behind it the strings that it points to.
class Maker {
public:
    Maker(sres_cache_t* cache, const NameKey& key, std::uint32_t ttl_s)
        : cache_{cache}, name_{key.name + "."}, type_{static_cast<std::uint16_t>(key.type)},
          ttl_s_{ttl_s} {}

    template <typename Record>
    sres_record_t* make(std::size_t text_size) {
        sres_record_t model{};
        sres_common_t& common = *model.sr_record;
        common.r_name = name_.data(); // copied
        common.r_size = sizeof(Record);
        common.r_type = type_;
        common.r_class = sres_class_in;
        common.r_ttl = ttl_s_;
        common.r_parsed = 1;
        sres_record_t* record = sres_cache_alloc_record(cache_, &model, text_size);
        text_ = reinterpret_cast<char*>(record) + sizeof(Record);
        return record;
    }

    char* put(const std::string& value) {
        char* at = text_;
        std::memcpy(at, value.c_str(), value.size() + 1);
        text_ += value.size() + 1;
        return at;
    }

private:
    sres_cache_t* cache_;
    std::string name_;
    std::uint16_t type_;
    std::uint32_t ttl_s_;
    char* text_ = nullptr;
};

} // namespace

void NameCache::Unref::operator()(sres_cache_t* cache) const {
    sres_cache_unref(cache);
}

NameCache::NameCache() : cache_{sres_cache_new(0)} {}

sres_record_t* NameCache::make(const NameKey& key, const NameRecord& record) const {
    Maker maker{cache_.get(), key, std::clamp(record.ttl_s, cached_least_s, cached_most_s)};
    sres_record_t* made = nullptr;
    switch (key.type) {
    case RecordType::a: {
        made = maker.make<sres_a_record_t>(0);
        if (made != nullptr) {
            static_cast<void>(::inet_pton(AF_INET, record.address.c_str(), &made->sr_a->a_addr));
        }
        break;
    }
    case RecordType::aaaa: {
        made = maker.make<sres_aaaa_record_t>(0);
        if (made != nullptr) {
            static_cast<void>(
                ::inet_pton(AF_INET6, record.address.c_str(), &made->sr_aaaa->aaaa_addr));
        }
        break;
    }
    case RecordType::srv: {
        made = maker.make<sres_srv_record_t>(record.target.size() + 1);
        if (made != nullptr) {
            sres_srv_record_t& srv = *made->sr_srv;
            srv.srv_priority = record.first;
            srv.srv_weight = record.second;
            srv.srv_port = record.port;
            srv.srv_target = maker.put(record.target);
        }
        break;
    }
    case RecordType::naptr: {
        made = maker.make<sres_naptr_record_t>(record.flags.size() + record.service.size() +
                                               record.expression.size() + record.target.size() + 4);
        if (made != nullptr) {
            sres_naptr_record_t& naptr = *made->sr_naptr;
            naptr.na_order = record.first;
            naptr.na_prefer = record.second;
            naptr.na_flags = maker.put(record.flags);
            naptr.na_services = maker.put(record.service);
            naptr.na_regexp = maker.put(record.expression);
            naptr.na_replace = maker.put(record.target);
        }
        break;
    }
    }
    return made;
}

void NameCache::store(const NameKey& key, const std::vector<NameRecord>& records) {
    const std::time_t now = std::time(nullptr);
    for (const NameRecord& record : records) {
        if (sres_record_t* made = make(key, record)) {
            sres_cache_store(cache_.get(), made, now);
        }
    }
}

void NameCache::clean() {
    sres_cache_clean(cache_.get(), std::time(nullptr));
}

sres_record_t** NameCache::answer(const NameKey& key, const NameRecord& record) const {
    std::array<sres_record_t*, 2> list{make(key, record), nullptr};
    return list.front() != nullptr ? sres_cache_copy_answers(cache_.get(), list.data()) : nullptr;
}

} // namespace revenant::sip
