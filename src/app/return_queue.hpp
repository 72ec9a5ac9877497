// Whose turn it is on the way back: a window of calls at a time, who is waited for next, suspects
// after all others and alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

// What a call's turn is for.
enum class Turn : std::uint8_t { rebuild, refresh };

class ReturnQueue {
public:
    // Begins a turn; true if it lasts, until `end_turn`. `moved` is told when turns have begun or
    // ended.
    using Begin = std::function<bool(call::Number call, Turn turn)>;

    ReturnQueue(Begin begin, std::function<void()> moved)
        : begin_{std::move(begin)}, moved_{std::move(moved)} {}

    // Calls that an earlier start has died on.
    void suspect(std::set<call::Number> calls) { suspects_ = std::move(calls); }

    [[nodiscard]] bool is_suspect(call::Number call) const { return suspects_.contains(call); }

    // The first goes next, before what is in the queue already; rebuilding goes before refreshing.
    void add(Turn turn, const std::vector<call::Number>& calls);
    // Somebody waits for this call to be rebuilt: it is the next one.
    void hurry(call::Number call);
    // Nothing happens if it has none.
    void end_turn(call::Number call);

    // Calls that wait for that turn.
    [[nodiscard]] std::size_t left(Turn turn) const { return queue(turn).size(); }

    [[nodiscard]] const std::set<call::Number>& under_way() const { return under_way_; }

    // So many are left that it takes seconds.
    [[nodiscard]] bool is_long() const { return static_cast<bool>(progress_); }

private:
    [[nodiscard]] const std::vector<call::Number>& queue(Turn turn) const {
        return turn == Turn::rebuild ? to_rebuild_ : to_refresh_;
    }

    void pump();
    void begin_turns(Turn turn);
    [[nodiscard]] bool may_begin(call::Number call);
    void watch_progress();
    void tell_progress() const;

    Begin begin_;
    std::function<void()> moved_;
    std::vector<call::Number> to_rebuild_; // the last goes first
    std::vector<call::Number> to_refresh_;
    std::set<call::Number> under_way_;
    std::set<call::Number> suspects_;
    base::Source patience_; // until the next suspect goes, whatever else is under way
    bool is_impatient_ = false;
    bool is_pumping_ = false;
    base::Source progress_; // while there is some
    std::optional<shell::Gathering> gathering_;
};

} // namespace revenant::app
