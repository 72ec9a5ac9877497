#include "keeper/backoff.hpp"

#include <algorithm>

namespace revenant::keeper {

namespace {

using namespace std::chrono_literals;

constexpr Clock::duration fast = 2s;
constexpr Clock::duration window = 10s;
constexpr Clock::duration good_life = 10s;
constexpr Clock::duration wait_first = 500ms;
constexpr Clock::duration wait_max = 30s;
constexpr Clock::duration wait_of_the_living = 200ms; // keeps the machine usable

} // namespace

Clock::duration Backoff::after_death(Clock::time_point now, Clock::duration lived, bool came_up) {
    if (burst_ == 0) {
        return {};
    }
    if (lived >= good_life) {
        fast_deaths_.clear();
        wait_ = {};
        return {};
    }
    if (came_up) {
        wait_ = {};
    }
    if (lived >= fast) {
        return wait_; // neither better nor worse
    }
    if (wait_ > Clock::duration::zero()) {
        wait_ = std::min(wait_ * 2, wait_max);
        return wait_;
    }
    std::erase_if(fast_deaths_, [now](Clock::time_point t) { return now - t > window; });
    fast_deaths_.push_back(now);
    if (fast_deaths_.size() < burst_) {
        return {};
    }
    if (came_up) {
        return wait_of_the_living;
    }
    wait_ = wait_first;
    return wait_;
}

} // namespace revenant::keeper
