// The limit on what rings: calls come in from anybody, and each takes two descriptors and a file.
// Who comes beyond it is told that we are busy, and nothing of it is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::app {

class Ringing {
public:
    explicit Ringing(std::size_t calls_max) : calls_max_{calls_max} {}

    // A call has come, or has made a step.
    void note(const call::Call& call);

    void forget(call::Number call) { calls_.erase(call); }

    // Whether one more may ring; a refusal is counted, and told of with the burst that it is in.
    [[nodiscard]] bool may_begin();

    // One that was refused for another reason.
    void count_refusal(std::string why);

private:
    void tell_refusals();

    std::size_t calls_max_;
    std::set<call::Number> calls_;
    std::int64_t refusals_ = 0; // not told yet
    std::int64_t refusals_seen_ = 0;
    std::string why_;
    base::Source pause_;
};

} // namespace revenant::app
