// When a silent phone counts as one that hangs.
//
// The phone's main loop gives a word every quarter of the limit at most. When half the limit has
// passed without one, the keeper looks at the process, ten times a second, and adds up how long it
// has been silent although it could have spoken. What is not added up:
//
// - it is stopped (Ctrl-Z), or a debugger holds it;
// - it waits for a disk: the kernel says so (state D), or its slate does while it sleeps;
// - it wants the processor and does not get it;
// - we ourselves were late: stopped, or without the processor. A look counts as if in time.
//
// A machine that is suspended stops the clock (CLOCK_MONOTONIC).
#pragma once

#include <chrono>
#include <optional>

#include "keeper/backoff.hpp"

namespace revenant::keeper {

// What the kernel and the slate say about the phone's main thread.
struct Glance {
    char state = '?'; // as in /proc/PID/stat; '?': not known
    bool traced = false;
    bool in_store = false;
    std::optional<Clock::duration> ran{}; // processor time, if it is known
};

class Watchdog {
public:
    // A phone was started; `limit` 0: it is not watched.
    void begin(Clock::time_point now, Clock::duration limit);

    void end() { due_.reset(); }

    // A word of the main loop.
    void heard(Clock::time_point now);

    [[nodiscard]] Clock::duration limit() const { return limit_; }

    // When the next `look` is to be.
    [[nodiscard]] std::optional<Clock::time_point> due() const { return due_; }

    // True: it hangs.
    [[nodiscard]] bool look(Clock::time_point now, const Glance& glance);

private:
    [[nodiscard]] bool has_excuse(const Glance& glance) const;
    [[nodiscard]] Clock::duration pause() const;

    Clock::duration limit_{};
    Clock::time_point last_; // the last word or look
    std::optional<Clock::time_point> due_;
    Clock::duration silence_{};
    std::optional<Clock::duration> ran_before_; // at the first look since the last word
};

} // namespace revenant::keeper
