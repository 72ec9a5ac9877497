// The edge between C callbacks and C++: no exception crosses a C frame.
#pragma once

#include <exception>
#include <string>

#include "revenant/base/log.hpp"

namespace revenant::base {

// Runs `f`. Anything thrown here is a bug of ours (expected failures are Results), and after it the
// state in memory cannot be trusted: we stop, and the next start resumes from the journal.
template <typename F>
void at_boundary(const char* what, F&& f) noexcept {
    try {
        f();
    } catch (const std::exception& e) {
        die(std::string{what} + ": " + e.what());
    } catch (...) {
        die(std::string{what} + ": unknown exception");
    }
}

} // namespace revenant::base
