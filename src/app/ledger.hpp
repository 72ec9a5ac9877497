// The ledger: one line for each call that a restart brought back, and the sum of them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "revenant/base/clock.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::app {

class Ledger {
public:
    // Borrowed; it outlives the Ledger.
    explicit Ledger(media::Engine& media) : media_{&media} {}

    // How many lines are to come before the sum is printed.
    void expect(std::size_t calls) { expected_ += calls; }

    // What the phone has died of, if that is to be said in each line.
    void explain(std::string death) { death_ = std::move(death); }

    // A call's line, as soon as it is known how long its stream has paused: the answer to the
    // re-INVITE is sometimes faster than the first packet.
    void settle(const call::Dialog& dialog, call::Verdict verdict, const std::string& reason);
    // The media thread has sent that packet (media::Engine::on_sending).
    void gap_is_known(call::Number call);

    // A record that has been put away at this start; `path`: where it is now.
    void enter_quarantined(const call::Dialog& dialog,
                           const std::string& reason,
                           const std::string& path);

    struct Line {
        call::Verdict verdict = call::Verdict::lost;
        std::string reason;
    };

    // A line has been entered.
    std::function<void(call::Number)> on_line;

    // The last one of a call; null if there is none yet.
    [[nodiscard]] const Line* find(call::Number call) const;

    // Calls whose last verdict is that.
    [[nodiscard]] std::size_t count(call::Verdict verdict) const;

private:
    struct Settled {
        call::Dialog dialog;
        call::Verdict verdict = call::Verdict::lost;
        std::string reason;
        base::Now when = {};
        base::Source deadline = {};
    };

    void enter(const Settled& settled, const std::optional<media::Statistics>& media);
    void count(call::Number call, Line line);
    void print_sum() const;

    media::Engine* media_;
    std::size_t expected_ = 0;
    std::string death_;
    std::map<call::Number, Line> lines_;
    std::map<call::Number, Settled> without_gap_; // whose gap is not known yet
};

} // namespace revenant::app
