#include "revenant/base/source.hpp"

#include <cstdint>
#include <functional>
#include <utility>

#include <glib-unix.h>
#include <glib.h>

#include "revenant/base/boundary.hpp"

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

} // namespace

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
    return attach(g_unix_signal_source_new(signal_number), run_plain, std::move(f),
                  G_SOURCE_CONTINUE, G_PRIORITY_DEFAULT);
}

Source after_ms(std::uint32_t delay_ms, std::function<void()> f) {
    return attach(g_timeout_source_new(delay_ms), run_plain, std::move(f), G_SOURCE_REMOVE,
                  G_PRIORITY_DEFAULT);
}

Source every_ms(std::uint32_t period_ms, std::function<void()> f) {
    return attach(g_timeout_source_new(period_ms), run_plain, std::move(f), G_SOURCE_CONTINUE,
                  G_PRIORITY_DEFAULT);
}

Source when_idle(std::function<void()> f) {
    return attach(g_idle_source_new(), run_plain, std::move(f), G_SOURCE_REMOVE,
                  G_PRIORITY_DEFAULT);
}

} // namespace revenant::base
