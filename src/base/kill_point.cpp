#include "revenant/base/kill_point.hpp"

#ifdef REVENANT_KILL_POINTS

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace revenant::base {

namespace {

// How many times each point is still to be passed; 0: never dies there.
std::array<std::uint32_t, 3>& left() {
    static std::array<std::uint32_t, 3> counts{};
    return counts;
}

Death death = Death::kill;

} // namespace

void die_at(KillPoint point, std::uint32_t count, Death how) {
    left().at(static_cast<std::size_t>(point)) = count;
    death = how;
}

void pass(KillPoint point) {
    std::uint32_t& count = left().at(static_cast<std::size_t>(point));
    if (count > 0 && --count == 0) {
        for (volatile bool goes_on = death == Death::hang; goes_on;) {
        }
        static_cast<void>(std::raise(SIGKILL));
    }
}

} // namespace revenant::base

#endif
