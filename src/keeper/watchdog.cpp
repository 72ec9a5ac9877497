#include "keeper/watchdog.hpp"

#include <algorithm>

namespace revenant::keeper {

namespace {

using namespace std::chrono_literals;

constexpr Clock::duration look_every = 100ms;
// A main loop that has had so much of the processor since the first look has had its turn.
constexpr Clock::duration a_turn = 20ms;

} // namespace

Clock::duration Watchdog::pause() const {
    return std::min(look_every, limit_ / 8);
}

void Watchdog::begin(Clock::time_point now, Clock::duration limit) {
    limit_ = limit;
    heard(now);
}

void Watchdog::heard(Clock::time_point now) {
    silence_ = {};
    ran_before_.reset();
    last_ = now;
    due_.reset();
    if (limit_ > Clock::duration::zero()) {
        due_ = now + limit_ / 2;
    }
}

bool Watchdog::has_excuse(const Glance& glance) const {
    switch (glance.state) {
    case 'T':
    case 't':
    case 'D': return true;
    case 'R':
        return glance.traced || (glance.ran && ran_before_ &&
                                 *glance.ran - *ran_before_ < std::min(a_turn, limit_ / 20));
    default: return glance.traced || glance.in_store;
    }
}

bool Watchdog::look(Clock::time_point now, const Glance& glance) {
    const Clock::duration planned = *due_ - last_;
    if (!has_excuse(glance)) {
        silence_ += std::min(now - last_, planned + pause());
    } else {
        // Whatever has held it up: when it goes on, it gets time for a word.
        silence_ = std::min(silence_, limit_ / 2);
    }
    if (!ran_before_) {
        ran_before_ = glance.ran;
    }
    last_ = now;
    due_ = now + pause();
    return silence_ >= limit_;
}

} // namespace revenant::keeper
