#include "revenant/shell/output.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "revenant/base/source.hpp"
#include "shell/outlet.hpp"
#include "shell/terminal.hpp"

namespace revenant::shell {

namespace {

constexpr std::uint32_t retry_ms = 10;
constexpr std::size_t gathered_max = 16'384; // bytes
constexpr std::uint32_t gathered_ms = 20;

class Output {
public:
    Format format = Format::human;
    bool colour = false;
    bool may_ring = false;
    std::function<void()> hide;
    std::function<void()> show;
    std::unique_ptr<Outlet> outlet;
    base::Source retry;

    Outlet& out() {
        if (!outlet) {
            outlet = std::make_unique<Outlet>(STDOUT_FILENO);
        }
        return *outlet;
    }

    // Written now or, while somebody gathers, a moment later.
    void take(const std::string& text);
    void write_gathered();

    int gatherings = 0;

private:
    std::string gathered_;
    base::Source later_;

    void write(std::string_view text);
    void emit(std::string_view text);
    void try_again();
    // Says what was dropped, once there is room to say it.
    void own_up();

public:
    void finish(std::uint32_t wait_ms);
};

Output& output() {
    // Never destroyed: notices may come from the destructors of other statics.
    static auto* const instance = new Output;
    return *instance;
}

void Output::take(const std::string& text) {
    if (gatherings == 0) {
        write(text);
        return;
    }
    gathered_ += text;
    if (gathered_.size() >= gathered_max) {
        write_gathered();
    } else if (!later_) {
        later_ = base::after_ms(gathered_ms, [this] { write_gathered(); });
    }
}

void Output::write_gathered() {
    later_.reset();
    if (!gathered_.empty()) {
        write(std::exchange(gathered_, {}));
    }
}

void Output::write(std::string_view text) {
    if (out().pending()) {
        try_again();
    }
    own_up();
    emit(text);
}

void Output::emit(std::string_view text) {
    Outlet& to = out();
    // A terminal that takes nothing (a dead ssh) would stop readline's redrawing as well: then the
    // text only queues, and hiding and showing come when it is written.
    const bool step_aside = hide && !to.pending() && to.ready();
    if (step_aside) {
        hide();
    }
    to.write(text);
    if (step_aside && show) {
        show();
    }
    if (to.pending() && !retry) {
        retry = base::every_ms(retry_ms, [this] { try_again(); });
    }
}

void Output::try_again() {
    Outlet& to = out();
    if (!to.ready()) {
        return;
    }
    if (hide) {
        hide();
    }
    to.flush();
    if (show) {
        show();
    }
    if (!to.pending()) {
        retry.reset();
        own_up();
    }
}

void Output::own_up() {
    if (out().pending()) {
        return;
    }
    const std::size_t count = out().take_dropped();
    if (count > 0) {
        emit(rendered({.event = "output.dropped",
                       .call = {},
                       .tone = Tone::attention,
                       .text = std::to_string(count) +
                               " lines of output were not taken by their reader and are lost",
                       .fields = {{"count", static_cast<std::int64_t>(count)}}},
                      format, colour));
    }
}

void Output::finish(std::uint32_t wait_ms) {
    if (out().pending() && out().drain(wait_ms)) {
        own_up();
    }
}

} // namespace

void set_output(Format format, bool colour) {
    output().format = format;
    output().colour = colour;
}

void set_bell(bool may_ring) {
    output().may_ring = may_ring;
}

bool colour_wanted() {
    // The environment is read at start, before there is a second thread.
    // NOLINTBEGIN(concurrency-mt-unsafe)
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    // NOLINTEND(concurrency-mt-unsafe)
    return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
           terminal != nullptr && std::string_view{terminal} != "dumb";
}

bool colour_on() {
    return output().colour;
}

void print(const Notice& notice) {
    Output& to = output();
    if (to.out().closed()) {
        return;
    }
    std::string text = rendered(notice, to.format, to.colour);
    if (!text.empty()) {
        const std::string bell = notice.rings && to.may_ring ? "\a" : "";
        to.take(bell + text);
    }
}

Gathering::Gathering() {
    ++output().gatherings;
}

Gathering::~Gathering() {
    if (--output().gatherings == 0) {
        output().write_gathered();
    }
}

void flush_output(std::uint32_t wait_ms) {
    output().write_gathered();
    output().finish(wait_ms);
}

void set_line_keeper(std::function<void()> hide, std::function<void()> show) {
    output().hide = std::move(hide);
    output().show = std::move(show);
}

void set_output_fd(int fd) {
    output().retry.reset();
    output().outlet = std::make_unique<Outlet>(fd);
}

int output_own_fd() {
    return output().out().own();
}

} // namespace revenant::shell
