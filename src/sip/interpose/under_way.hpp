// What one function in front tells another. The library calls the second from within the first, and
// has no way to hand it on.
#pragma once

#include <cstdint>
#include <utility>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"

namespace revenant::sip {

enum class Nesting : std::uint8_t {
    never,  // a second one within means that we have misread the library: a test build ends
    allowed // the inner one counts until it ends
};

// `place` has the value while this lives, and before and after that what it had. Places are empty
// at rest: no turn of the main loop begins within one of these.
template <typename T, Nesting nesting = Nesting::never>
class UnderWay {
public:
    UnderWay(T& place, T value) : place_{&place}, before_{std::exchange(place, value)} {
        if (base::has_kill_points && nesting == Nesting::never && before_ != T{}) {
            base::die("the SIP library has begun something within itself");
        }
    }

    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

    ~UnderWay() { *place_ = before_; }

private:
    T* place_;
    T before_;
};

} // namespace revenant::sip
