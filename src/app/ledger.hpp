// The ledger: one line for each call that a restart brought back, and the sum of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "revenant/base/clock.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::app {

class Ledger {
public:
    // How many lines are to come before the sum is printed.
    void expect(std::size_t calls) { expected_ += calls; }

    // What the phone has died of, if that is to be said in each line.
    void explain(std::string death) { death_ = std::move(death); }

    void enter(const call::Call& call,
               call::Verdict verdict,
               const std::string& reason,
               const std::optional<media::Statistics>& media,
               base::Now now);

    // A record that has been put away at this start; `path`: where it is now.
    void enter_quarantined(const call::Dialog& dialog,
                           const std::string& reason,
                           const std::string& path);

    struct Line {
        call::Verdict verdict = call::Verdict::lost;
        std::string reason;
    };

    // The last one of a call; null if there is none yet.
    [[nodiscard]] const Line* find(call::Number call) const;

    // Calls whose last verdict is that.
    [[nodiscard]] std::size_t count(call::Verdict verdict) const;

private:
    void print_sum() const;

    std::size_t expected_ = 0;
    std::string death_;
    std::map<call::Number, Line> lines_;
};

} // namespace revenant::app
