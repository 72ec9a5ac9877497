// A datagram on the keeper's socket may hold anything.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "keeper/message.hpp"

namespace {

bool lies_within(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: char may alias anything; the view ends with this call.
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto message = revenant::keeper::read_message(text);
    if (!message) {
        return 0;
    }
    for (const auto& part : {message->name, message->status}) {
        if (part && (!lies_within(*part, text) || part->find('\n') != std::string_view::npos)) {
            std::abort();
        }
    }
    if (message->name && revenant::keeper::is_valid_name(*message->name) &&
        message->name->find(':') != std::string_view::npos) {
        std::abort();
    }
    return 0;
}
