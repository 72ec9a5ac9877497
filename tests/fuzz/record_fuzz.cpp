// decode() takes any bytes; what it accepts comes out of encode() and decode() again unchanged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/base/log.hpp"
#include "revenant/journal/record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace revenant;
    // SAFETY: bytes are read as characters and only for this call.
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto dialog = journal::decode(text);
    if (!dialog) {
        if (dialog.error().context.empty()) {
            base::die("an error without a context");
        }
        return 0;
    }
    const std::string again = journal::encode(*dialog);
    if (again.size() > journal::record_size_max || journal::decode(again) != dialog) {
        base::die("decode(encode(d)) is not d");
    }
    return 0;
}
