#include "app/heartbeat.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "app/service_manager.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/disk_wait.hpp"

namespace revenant::app {

Heartbeat::Heartbeat() : limit_us_{watchdog_limit_us()} {
    if (limit_us_ != 0) {
        socket_ = connect_to_manager();
    }
}

void Heartbeat::begin() {
    if (limit_us_ == 0) {
        return;
    }
    period_ms_ = static_cast<std::int64_t>(std::clamp<std::uint64_t>(limit_us_ / 4000, 1, 60'000));
    // SAFETY: the source is a member; `stop` comes before our end.
    beat_ = base::every_ms(static_cast<std::uint32_t>(period_ms_), [this] { say_alive(); });
    base::when_getting_on([this] { get_on(); });
}

void Heartbeat::stop() {
    if (beat_) {
        beat_.reset();
        base::when_getting_on({});
    }
}

void Heartbeat::get_on() {
    if (base::read_clock().boot_ms() - said_ms_ >= period_ms_) {
        say_alive();
    }
}

// A watcher that is stopped reads nothing. Its queue has room for ten messages, and who hands a
// socket over waits for that room: so no second beat is sent while the first is unread.
void Heartbeat::say_alive() {
    said_ms_ = base::read_clock().boot_ms();
    int unread = 0;
    if (socket_ && ::ioctl(socket_.get(), SIOCOUTQ, &unread) == 0 && unread > 0) {
        return;
    }
    constexpr std::string_view text = "WATCHDOG=1";
    if (socket_ &&
        (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0 || errno == EAGAIN)) {
        return;
    }
    tell_manager(text);
}

void Heartbeat::say_limit() {
    if (limit_us_ == 0 || !ready_ || told_ == calls_live_) {
        return;
    }
    told_ = calls_live_;
    const std::uint64_t limit_us = calls_live_ ? limit_us_ : limit_us_ * 5 / 2;
    tell_manager(fmt::format("WATCHDOG_USEC={}", limit_us));
}

void Heartbeat::set_ready() {
    ready_ = true;
    say_limit();
}

void Heartbeat::set_calls_live(bool live) {
    calls_live_ = live;
    say_limit();
}

} // namespace revenant::app
