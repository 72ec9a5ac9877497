// The keeper's signals, read from a descriptor instead of interrupting it.
#pragma once

#include <csignal>

namespace revenant::keeper {

class Signals {
public:
    // Blocks what the keeper reads, and SIGPIPE. Terminates the process on failure. The descriptor
    // is `at_least` or above, and closed on exec.
    explicit Signals(int at_least);

    [[nodiscard]] int fd() const { return fd_; }

    // The mask from before, for the phone.
    [[nodiscard]] const sigset_t& mask_before() const { return before_; }

    struct Arrival {
        int signal = 0;
        // Sent by a process to us. A terminal sends its signals to us and to the phone alike.
        bool by_process = false;
    };

    // Does not wait. False if there is none.
    [[nodiscard]] bool receive(Arrival& arrival) const;

private:
    sigset_t before_{};
    int fd_;
};

// Ends this process by the signal, so that its parent sees how the phone ended.
[[noreturn]] void die_by(int signal);

} // namespace revenant::keeper
