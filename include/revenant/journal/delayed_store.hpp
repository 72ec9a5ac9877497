// A store that answers late, as one behind a network does. For test builds.
#pragma once

#include <cstdint>
#include <memory>

#include "revenant/journal/store.hpp"

namespace revenant::journal {

struct Delay {
    std::uint32_t most_ms = 0;      // of a write: from nothing to this; 0: none is late
    bool is_written_at_once = true; // and answered late; else it is also written late
};

// Both of one number keep their order; those of two do not.
[[nodiscard]] std::unique_ptr<Store> delayed_store(std::unique_ptr<Store> store, Delay delay);

} // namespace revenant::journal
