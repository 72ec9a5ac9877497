// The ledger: one line for each call that a restart brought back, and the sum of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "revenant/base/clock.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::app {

class Ledger {
public:
    // How many lines are to come before the sum is printed.
    void expect(std::size_t calls) { expected_ += calls; }

    void enter(const call::Call& call,
               call::Verdict verdict,
               const std::string& reason,
               const std::optional<media::Statistics>& media,
               base::Now now);

    // Calls whose last verdict is that.
    [[nodiscard]] std::size_t count(call::Verdict verdict) const;

private:
    void print_sum() const;

    std::size_t expected_ = 0;
    std::map<call::Number, call::Verdict> verdicts_;
};

} // namespace revenant::app
