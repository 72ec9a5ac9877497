#include "keeper/terminal.hpp"

#include <unistd.h>

#include "keeper/say.hpp"

namespace revenant::keeper {

Terminal::Terminal() : present_{::tcgetattr(STDIN_FILENO, &before_) == 0} {}

void Terminal::restore() const {
    if (present_ && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) {
        // A terminal that is gone (hangup) needs nothing.
        static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &before_));
        end_bracketed_paste();
    }
}

} // namespace revenant::keeper
