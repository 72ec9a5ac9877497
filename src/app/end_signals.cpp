#include "app/end_signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

namespace revenant::app {

namespace {

// `quit` gives its BYEs 4 s (exits.cpp).
constexpr unsigned end_within_s = 5;

// For the handlers, which may do no more than this.
struct Handled {
    std::atomic<keeper::Slate*> slate{nullptr};
    std::atomic<int> woken{-1};
    termios terminal{}; // as it was before the prompt
    std::atomic<bool> has_terminal{false};
};

constinit Handled handled;

void on_end_signal(int number) {
    const int error = errno;
    handled.slate.load()->asked_to_end.store(number);
    ::alarm(end_within_s);
    const std::uint64_t one = 1;
    static_cast<void>(::write(handled.woken.load(), &one, sizeof one) == 0);
    errno = error;
}

// Nothing of this waits: not for the terminal either, which may be stopped (Ctrl-S).
void on_alarm(int /*number*/) {
    constexpr std::string_view text =
        "revenant: asked to end 5 s ago, and not done yet: killed. Its calls are kept for the next "
        "start\n";
    if (handled.has_terminal.load()) {
        ::tcsetattr(STDIN_FILENO, TCSANOW, &handled.terminal);
    }
    pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0) {
        static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()) == 0);
    }
    const int number = handled.slate.load()->asked_to_end.load();
    static_cast<void>(std::signal(number, SIG_DFL));
    static_cast<void>(::kill(::getpid(), number)); // so that who waits for us sees why
    ::_exit(128 + number);
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};

    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

} // namespace

EndSignals::EndSignals(keeper::Slate& slate,
                       std::function<void()> on_term,
                       std::function<void()> on_hangup)
    : slate_{&slate}, on_term_{std::move(on_term)},
      on_hangup_{std::move(on_hangup)}, woken_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    handled.slate = &slate;
    handled.woken = woken_.get();
    // SAFETY: the source is a member.
    source_ = base::on_readable(woken_.get(), [this] { take(); });
    handled.has_terminal = ::tcgetattr(STDIN_FILENO, &handled.terminal) == 0;
    handle(SIGALRM, on_alarm);
    handle(SIGTERM, on_end_signal);
    handle(SIGHUP, on_end_signal);
}

EndSignals::~EndSignals() {
    for (const int number : {SIGTERM, SIGHUP, SIGALRM}) {
        static_cast<void>(std::signal(number, SIG_DFL));
    }
    handled.woken = -1;
}

void EndSignals::take() {
    std::uint64_t count = 0;
    static_cast<void>(::read(woken_.get(), &count, sizeof count) == 0);
    const auto hook = slate_->asked_to_end.load() == SIGHUP ? on_hangup_ : on_term_;
    hook();
}

} // namespace revenant::app
