// GLib main-loop sources that remove themselves. Everything runs on the default context's thread.
#pragma once

#include <cstdint>
#include <functional>

struct _GSource; // NOLINT(bugprone-reserved-identifier): GLib's name

namespace revenant::base {

// Owns one attached source; its destructor detaches it, also from inside its own callback.
class Source {
public:
    Source() = default;

    explicit Source(_GSource* attached) : source_{attached} {} // takes over one reference

    Source(Source&& other) noexcept;
    Source& operator=(Source&& other) noexcept;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source();

    void reset();

    explicit operator bool() const { return source_ != nullptr; }

private:
    _GSource* source_ = nullptr;
};

// From now on the main loop's waits end when they should after the machine was suspended, too. By
// itself it waits on a clock that stands still meanwhile. Called once; not before a fork.
void wait_on_boot_clock();

// The function is called until the Source goes away (`after` and `when_idle`: once; the Source may
// then be kept or dropped). Times are those of the boot clock: they never step, and go on while the
// machine is suspended.
[[nodiscard]] Source on_readable(int fd, std::function<void()> f);
[[nodiscard]] Source on_writable(int fd, std::function<void()> f);
// The last one for a signal is called; afterwards the signal does again what it does by default.
[[nodiscard]] Source on_signal(int signal_number, std::function<void()> f);
[[nodiscard]] Source after_ms(std::uint32_t delay_ms, std::function<void()> f);
[[nodiscard]] Source every_ms(std::uint32_t period_ms, std::function<void()> f);
[[nodiscard]] Source when_idle(std::function<void()> f);

// Once, in the first turn of the loop in which no other source has anything to do: nothing can be
// read, no timer is due.
[[nodiscard]] Source when_at_rest(std::function<void()> f);

} // namespace revenant::base
