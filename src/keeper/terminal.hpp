// The terminal as it was when the keeper started.
#pragma once

#include <termios.h>

namespace revenant::keeper {

// A phone that is killed while it edits a line leaves the terminal without echo, and pastes in
// brackets.
class Terminal {
public:
    Terminal();

    // Does nothing without a terminal, or in the background, where it is someone else's.
    void restore() const;

private:
    termios before_{}; // before `present_`, whose initializer fills it
    bool present_;
};

} // namespace revenant::keeper
