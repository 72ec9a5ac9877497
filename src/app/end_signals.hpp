// SIGTERM and SIGHUP, which end the phone within 5 s whatever it does: the main loop takes them if
// it turns; if it does not, an alarm ends the process. Its records stay for the next start.
#pragma once

#include <functional>

#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "revenant/keeper/slate.hpp"

namespace revenant::app {

class EndSignals {
public:
    // The hooks are called on the main loop. `slate` learns which signal has come, so that a keeper
    // starts nobody again who was asked to end; it lives as long as the process. One per process.
    EndSignals(keeper::Slate& slate,
               std::function<void()> on_term,
               std::function<void()> on_hangup);
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;
    ~EndSignals();

private:
    void take();

    keeper::Slate* slate_;
    std::function<void()> on_term_;
    std::function<void()> on_hangup_;
    base::Fd woken_; // an eventfd, for the handler
    base::Source source_;
};

} // namespace revenant::app
