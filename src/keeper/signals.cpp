#include "keeper/signals.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "keeper/say.hpp"

namespace revenant::keeper {

namespace {

// SIGTSTP, SIGTTIN and SIGTTOU are not among them: a terminal stops us together with the phone,
// and the shell sees that its job has stopped.
constexpr std::array watched{SIGCHLD, SIGCONT, SIGTERM, SIGINT,  SIGHUP,
                             SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

int open_signals(int at_least, sigset_t& before) {
    struct sigaction children {};

    children.sa_handler = SIG_DFL; // where our parent ignored SIGCHLD there is nothing to wait for
    children.sa_flags = SA_NOCLDSTOP;
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int signal : watched) {
        ::sigaddset(&blocked, signal);
    }
    const int low = ::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    const int fd = ::fcntl(low, F_DUPFD_CLOEXEC, at_least);
    ::close(low);
    ::sigaddset(&blocked, SIGPIPE);
    if (fd < 0 || ::sigaction(SIGCHLD, &children, nullptr) != 0 ||
        ::sigprocmask(SIG_BLOCK, &blocked, &before) != 0) {
        give_up("cannot take over the signals: " + error_text(errno));
    }
    return fd;
}

} // namespace

Signals::Signals(int at_least) : fd_{open_signals(at_least, before_)} {}

bool Signals::receive(Arrival& arrival) const {
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        return false;
    }
    arrival = {.signal = static_cast<int>(info.ssi_signo),
               .by_process = info.ssi_code <= 0}; // sigaction(2), si_code
    return true;
}

void die_by(int signal) {
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);

    struct sigaction action {};

    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
    ::raise(signal); // pending while it is blocked
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::_exit(128 + signal); // not reached, unless the signal does not end anything
}

} // namespace revenant::keeper
