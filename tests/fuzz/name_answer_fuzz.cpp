// Whatever a name server says, as an answer to each kind of question.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "revenant/base/log.hpp"
#include "sip/names/name_records.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace revenant;
    using sip::RecordType;
    // SAFETY: bytes are read as characters and only for this call.
    const std::string_view answer{reinterpret_cast<const char*>(data), size};
    for (const RecordType type :
         {RecordType::a, RecordType::aaaa, RecordType::srv, RecordType::naptr}) {
        const auto records = sip::read_records(type, answer);
        if (records.size() > sip::records_max) {
            base::die("more records than there may be");
        }
        for (const sip::NameRecord& record : records) {
            const bool is_address = type == RecordType::a || type == RecordType::aaaa;
            if (is_address && record.address.empty()) {
                base::die("an address that is none");
            }
        }
    }
    return 0;
}
