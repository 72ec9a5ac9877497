// Where records live. FileStore keeps one JSON file a dialog; tests have MemoryStore and
// FaultyStore; a database fits behind the same five calls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// A record that could not be used, and what was done with it.
struct Rejected {
    std::string path; // where it is now
    base::Error error;
};

struct Loaded {
    std::vector<call::Dialog> dialogs; // ascending by number
    std::vector<Rejected> rejected;
};

class Store {
public:
    virtual ~Store() = default;

    // Reads everything. One unusable record never hides another.
    [[nodiscard]] virtual base::Result<Loaded> load() = 0;

    // When this returns success, the record survives SIGKILL (with `durable`, power loss too), and
    // whoever reads it sees either the whole old or the whole new one.
    [[nodiscard]] virtual base::Status save(const call::Dialog& dialog) = 0;

    // The call is over. Succeeds when there is no such record.
    [[nodiscard]] virtual base::Status remove(call::Number number) = 0;

    // Counts this start: stored before it is returned, so that no two starts share an epoch.
    [[nodiscard]] virtual base::Result<std::uint32_t> next_epoch() = 0;
};

} // namespace revenant::journal
