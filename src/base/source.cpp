#include "revenant/base/source.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iterator>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/fd.hpp"

namespace revenant::base {

namespace {

struct Callback {
    std::function<void()> f;
    gboolean again = G_SOURCE_CONTINUE;

    gboolean run() {
        at_boundary("main loop source", [this] { f(); });
        return again;
    }
};

gboolean run_fd(gint /*fd*/, GIOCondition /*condition*/, gpointer data) {
    return static_cast<Callback*>(data)->run();
}

gboolean run_plain(gpointer data) {
    return static_cast<Callback*>(data)->run();
}

void free_callback(gpointer data) {
    delete static_cast<Callback*>(data);
}

// SAFETY: GLib owns the Callback and frees it when the source is destroyed and no dispatch of it
// is running, so a callback may destroy its own Source.
Source attach(GSource* source,
              GSourceFunc trampoline,
              std::function<void()> f,
              gboolean again,
              gint priority) {
    g_source_set_callback(source, trampoline, new Callback{.f = std::move(f), .again = again},
                          free_callback);
    g_source_set_priority(source, priority);
    g_source_attach(source, nullptr);
    return Source{source};
}

// ---- Timers on the boot clock. GLib compares theirs with its own clock, which stands still while
// the machine is suspended; after that all are told anew. Asking the clock for each at every turn
// of the loop would cost much with thousands of calls.

struct Timer {
    GSource source;
    std::int64_t due_ns; // on the boot clock
    std::int64_t period_ns;
};

// Never destroyed: a Source may end later than anything static.
std::unordered_set<Timer*>& timers() {
    static auto& all = *new std::unordered_set<Timer*>;
    return all;
}

void set_due(Timer& timer, std::int64_t due_ns) {
    timer.due_ns = due_ns;
    const std::int64_t left_ns = std::max<std::int64_t>(due_ns - read_clock().boot_ns, 0);
    g_source_set_ready_time(&timer.source, g_get_monotonic_time() + (left_ns + 999) / 1000);
}

gboolean run_timer(GSource* source, GSourceFunc function, gpointer data) {
    auto& timer = *reinterpret_cast<Timer*>(source);
    set_due(timer, read_clock().boot_ns + timer.period_ns); // what was missed is not made up for
    return function(data);
}

void end_timer(GSource* source) {
    timers().erase(reinterpret_cast<Timer*>(source));
}

Source timer(std::uint32_t delay_ms, bool again, std::function<void()> f) {
    // GLib does not write to it.
    static GSourceFuncs functions{.prepare = nullptr,
                                  .check = nullptr,
                                  .dispatch = run_timer,
                                  .finalize = end_timer,
                                  .closure_callback = nullptr,
                                  .closure_marshal = nullptr};
    GSource* source = g_source_new(&functions, sizeof(Timer));
    auto* made = reinterpret_cast<Timer*>(source);
    timers().insert(made);
    made->period_ns = std::int64_t{delay_ms} * 1'000'000;
    set_due(*made, read_clock().boot_ns + made->period_ns);
    return attach(source, run_plain, std::move(f), again ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE,
                  G_PRIORITY_DEFAULT);
}

void notice_suspension() {
    constexpr std::int64_t suspended_us = 1000;
    static std::int64_t ahead_us = 0;
    const std::int64_t now_us = read_clock().boot_ns / 1000 - g_get_monotonic_time();
    if (std::abs(now_us - std::exchange(ahead_us, now_us)) > suspended_us) {
        for (Timer* timer : timers()) {
            set_due(*timer, timer->due_ns);
        }
    }
}

// ---- The main loop's wait

// A shorter wait that a suspension makes longer is late by no more than this.
constexpr gint short_wait_ms = 100;

// poll() itself counts no suspension, so a timer that does ends the wait. SAFETY: the main loop has
// one thread.
gint poll_on_boot_clock(GPollFD* entries, guint count, gint wait_ms) {
    static const Fd alarm{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
    static std::vector<pollfd> all;
    const bool with_alarm = alarm && wait_ms > short_wait_ms;
    all.clear();
    std::transform(entries, entries + count, std::back_inserter(all), [](const GPollFD& entry) {
        return pollfd{.fd = entry.fd, .events = static_cast<short>(entry.events), .revents = 0};
    });
    if (with_alarm) {
        itimerspec due{};
        due.it_value.tv_sec = wait_ms / 1000;
        due.it_value.tv_nsec = long{wait_ms % 1000} * 1'000'000;
        static_cast<void>(::timerfd_settime(alarm.get(), 0, &due, nullptr));
        all.push_back({.fd = alarm.get(), .events = POLLIN, .revents = 0});
    }
    int ready = ::poll(all.data(), all.size(), wait_ms);
    for (guint i = 0; ready >= 0 && i < count; ++i) {
        entries[i].revents = static_cast<gushort>(all[i].revents);
    }
    if (ready > 0 && with_alarm && all.back().revents != 0) {
        --ready;
    }
    const int error = errno;
    notice_suspension();
    errno = error;
    return ready;
}

// ---- Signals. GLib's would start a thread, which every start of the phone would wait for.

// What the handler writes to, by signal.
constinit std::array<std::atomic<int>, NSIG> signal_events{};

void on_signal_number(int number) {
    const int error = errno;
    const std::uint64_t one = 1;
    static_cast<void>(
        ::write(signal_events.at(static_cast<std::size_t>(number)).load(), &one, sizeof one) == 0);
    errno = error;
}

class SignalEvent {
public:
    explicit SignalEvent(int number) : number_{number} {
        signal_events.at(static_cast<std::size_t>(number)) = event_.get();

        struct sigaction action {};

        action.sa_handler = on_signal_number;
        action.sa_flags = SA_RESTART;
        ::sigaction(number, &action, nullptr);
    }

    SignalEvent(const SignalEvent&) = delete;
    SignalEvent& operator=(const SignalEvent&) = delete;

    ~SignalEvent() {
        if (signal_events.at(static_cast<std::size_t>(number_)) == event_.get()) { // no later one's
            static_cast<void>(std::signal(number_, SIG_DFL));
        }
    }

    [[nodiscard]] int fd() const { return event_.get(); }

    void take() const {
        std::uint64_t count = 0;
        static_cast<void>(::read(event_.get(), &count, sizeof count) == 0);
    }

private:
    int number_;
    Fd event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

} // namespace

void wait_on_boot_clock() {
    g_main_context_set_poll_func(nullptr, poll_on_boot_clock);
}

Source::Source(Source&& other) noexcept : source_{std::exchange(other.source_, nullptr)} {}

Source& Source::operator=(Source&& other) noexcept {
    if (this != &other) {
        reset();
        source_ = std::exchange(other.source_, nullptr);
    }
    return *this;
}

Source::~Source() {
    reset();
}

void Source::reset() {
    if (GSource* source = std::exchange(source_, nullptr)) {
        g_source_destroy(source);
        g_source_unref(source);
    }
}

Source on_readable(int fd, std::function<void()> f) {
    GSource* source =
        g_unix_fd_source_new(fd, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR));
    return attach(source, G_SOURCE_FUNC(run_fd), std::move(f), G_SOURCE_CONTINUE,
                  G_PRIORITY_DEFAULT);
}

Source on_writable(int fd, std::function<void()> f) {
    return attach(g_unix_fd_source_new(fd, G_IO_OUT), G_SOURCE_FUNC(run_fd), std::move(f),
                  G_SOURCE_CONTINUE, G_PRIORITY_DEFAULT);
}

Source on_signal(int signal_number, std::function<void()> f) {
    auto event = std::make_shared<SignalEvent>(signal_number); // goes with the source's function
    return on_readable(event->fd(), [event, f = std::move(f)] {
        event->take();
        f();
    });
}

Source after_ms(std::uint32_t delay_ms, std::function<void()> f) {
    return timer(delay_ms, false, std::move(f));
}

Source every_ms(std::uint32_t period_ms, std::function<void()> f) {
    return timer(period_ms, true, std::move(f));
}

Source when_idle(std::function<void()> f) {
    return attach(g_idle_source_new(), run_plain, std::move(f), G_SOURCE_REMOVE,
                  G_PRIORITY_DEFAULT);
}

Source when_at_rest(std::function<void()> f) {
    return attach(g_idle_source_new(), run_plain, std::move(f), G_SOURCE_REMOVE,
                  G_PRIORITY_DEFAULT_IDLE);
}

} // namespace revenant::base
