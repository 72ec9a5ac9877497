// Records as the SIP library keeps them: it looks into this cache before it asks for a name.
#pragma once

#include <memory>
#include <vector>

#include <sofia-resolv/sres.h>

#include "sip/names/name_records.hpp"

namespace revenant::sip {

class NameCache {
public:
    NameCache();

    // For the library's resolvers, each of which holds a reference of its own.
    [[nodiscard]] sres_cache_t* get() const { return cache_.get(); }

    // For as long as the records say, within bounds.
    void store(const NameKey& key, const std::vector<NameRecord>& records);
    // To be called now and then: lets go of what is too old.
    void clean();
    // An answer to one question, which no other finds; freed by sres_free_answers. Null: out of
    // memory.
    [[nodiscard]] sres_record_t** answer(const NameKey& key, const NameRecord& record) const;

private:
    struct Unref {
        void operator()(sres_cache_t* cache) const;
    };

    [[nodiscard]] sres_record_t* make(const NameKey& key, const NameRecord& record) const;

    std::unique_ptr<sres_cache_t, Unref> cache_;
};

inline constexpr std::uint32_t cached_least_s = 5; // the library asks a second time within one call
inline constexpr std::uint32_t cached_most_s = 86'400;

} // namespace revenant::sip
