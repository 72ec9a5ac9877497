// How long to wait before the next start of a phone that keeps dying.
#pragma once

#include <chrono>
#include <vector>

namespace revenant::keeper {

using Clock = std::chrono::steady_clock;

// A death within 2 s of the start is a fast one. The first fast deaths are followed by a start at
// once. From the `burst`-th within 10 s on there is a wait: 0.5 s, doubled by each further fast
// death up to 30 s. A life of 10 s ends it.
//
// A life that came up, with its calls, is no failed start, however short it was: it ends the wait,
// and fast deaths after such lives are followed by 0.2 s at most, because calls are waiting.
class Backoff {
public:
    // 0: never wait.
    explicit Backoff(unsigned burst) : burst_{burst} {}

    // To be called once per death, in the order of their times.
    [[nodiscard]] Clock::duration
    after_death(Clock::time_point now, Clock::duration lived, bool came_up);

private:
    unsigned burst_;
    std::vector<Clock::time_point> fast_deaths_; // the last 10 s of them
    Clock::duration wait_{};                     // 0: not backing off
};

} // namespace revenant::keeper
