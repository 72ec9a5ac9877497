#include <algorithm>
#include <cassert>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/shell/prompt.hpp"
#include "shell/completion.hpp"
#include "shell/history.hpp"
#include "shell/keys.hpp"
#include "shell/prompt_kinds.hpp"
#include "shell/readline_setup.hpp"
#include "shell/terminal.hpp"

namespace revenant::shell {

namespace {

// For the signal handler, which may do nothing but write to it.
volatile std::sig_atomic_t continued_fd = -1;

void on_continued(int /*signal_number*/) {
    const std::uint64_t one = 1;
    static_cast<void>(::write(continued_fd, &one, sizeof one) == 0);
}

// The line that is being typed there is another program's.
bool is_background() {
    const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
    return foreground > 0 && foreground != ::getpgrp();
}

bool is_hung_up() {
    pollfd entry{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

class TerminalPrompt final : public Prompt {
public:
    TerminalPrompt(const Table& table, Hooks hooks, const std::string& history_path);
    TerminalPrompt(const TerminalPrompt&) = delete;
    TerminalPrompt& operator=(const TerminalPrompt&) = delete;
    ~TerminalPrompt() override;

    void refresh() override;
    void page(const Notice& text) override;

private:
    // readline's line handler; null at the end.
    static void took(char* line);

    [[nodiscard]] std::string prompt_text() const;
    void install();
    void watch_continue();
    void hide() const;
    void show() const;
    void read_key();
    void show_page();
    [[nodiscard]] bool turned_page(std::string_view typed);
    void run_lines(std::string_view typed);
    void remember(const std::string& line);
    void put_back() const;
    void report() const;
    void end();
    void interrupt();
    void resume_drawing();

    static TerminalPrompt* active; // readline's callbacks get no pointer of ours

    const Table& table_;
    Hooks hooks_;
    Offers offers_;
    History history_;
    FILE* out_ = nullptr; // non-blocking; ours, null if readline writes to stdout
    std::string shown_;   // the prompt text on the screen
    bool up_ = false;     // a line is being typed
    bool taken_ = false;  // `typed_` or the end waits to be handled
    bool at_end_ = false;
    std::string typed_;
    Notice unread_; // what of a long text is still to be shown
    // shared_ptr: the only owner; watched across hooks that may destroy us.
    std::shared_ptr<int> alive_ = std::make_shared<int>();
    base::Fd continued_;

    struct sigaction continued_before_ {};

    std::vector<base::Source> sources_;
};

TerminalPrompt* TerminalPrompt::active = nullptr;

TerminalPrompt::TerminalPrompt(const Table& table, Hooks hooks, const std::string& history_path)
    : table_{table}, hooks_{std::move(hooks)}, offers_{.call_ids = hooks_.call_ids,
                                                       .uris = hooks_.uris,
                                                       .conditions = hooks_.conditions} {
    assert(active == nullptr);
    active = this;
    make_terminal_sane();
    // SAFETY: the prompt outlives its use by completion: the destructor ends that.
    set_up_readline(table_, offers_);
    const int own = output_own_fd();
    const int copy = own >= 0 ? ::dup(own) : -1;
    out_ = copy >= 0 ? ::fdopen(copy, "w") : nullptr;
    rl_outstream = out_ != nullptr ? out_ : stdout;
    if (const base::Status loaded = history_.load(history_path); !loaded) {
        base::log(base::Level::warning, loaded.error().context);
    }
    clear_history();
    for (const std::string& line : history_.lines()) {
        add_history(line.c_str());
    }
    // SAFETY: sources and line keeper go with us.
    set_line_keeper([this] { hide(); }, [this] { show(); });
    open_keys();
    sources_.push_back(base::on_readable(STDIN_FILENO, [this] { read_key(); }));
    sources_.push_back(base::on_signal(SIGINT, [this] { interrupt(); }));
    sources_.push_back(base::on_signal(SIGWINCH, [this] {
        if (up_) {
            rl_resize_terminal();
        }
    }));
    watch_continue();
    install();
    put_back();
}

TerminalPrompt::~TerminalPrompt() {
    sources_.clear();
    set_line_keeper({}, {});
    if (up_) {
        hide();
        rl_callback_handler_remove();
    }
    if (continued_) {
        ::sigaction(SIGCONT, &continued_before_, nullptr);
        continued_fd = -1;
    }
    rl_outstream = stdout;
    if (out_ != nullptr) {
        static_cast<void>(std::fclose(out_));
    }
    close_keys();
    forget_completion();
    active = nullptr;
}

// GLib offers no SIGCONT; after Ctrl-Z and `fg` the shell has set the terminal for itself.
void TerminalPrompt::watch_continue() {
    continued_ = base::Fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!continued_) {
        return;
    }
    continued_fd = continued_.get();

    struct sigaction action {};

    action.sa_handler = on_continued;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGCONT, &action, &continued_before_);
    sources_.push_back(base::on_readable(continued_.get(), [this] { resume_drawing(); }));
}

std::string TerminalPrompt::prompt_text() const {
    const std::string text = !unread_.text.empty()
                                 ? "-- more: Enter, or q -- "
                                 : base::printable(hooks_.text ? hooks_.text() : "> ");
    return colour_on() ? "\001\033[1;36m\002" + text + "\001\033[0m\002" : text;
}

void TerminalPrompt::install() {
    shown_ = prompt_text();
    up_ = true;
    rl_callback_handler_install(shown_.c_str(), took);
}

void TerminalPrompt::put_back() const {
    if (!hooks_.typed.empty()) {
        rl_insert_text(hooks_.typed.c_str());
        rl_point = std::min(rl_end, static_cast<int>(hooks_.cursor));
        rl_redisplay();
    }
}

void TerminalPrompt::report() const {
    if (hooks_.on_typing) {
        const bool is_typed = up_ && rl_line_buffer != nullptr;
        const auto size = static_cast<std::size_t>(is_typed ? rl_end : 0);
        hooks_.on_typing({is_typed ? rl_line_buffer : "", size},
                         static_cast<std::size_t>(is_typed ? rl_point : 0));
    }
}

void TerminalPrompt::hide() const {
    if (up_ && !is_background()) {
        rl_clear_visible_line();
        static_cast<void>(std::fflush(rl_outstream));
    }
}

void TerminalPrompt::show() const {
    if (up_ && !is_background()) {
        rl_on_new_line();
        rl_redisplay();
    }
}

void TerminalPrompt::refresh() {
    // While readline shows a prompt of its own (a search), ours comes with the next line.
    const bool searching =
        RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_VIMOTION);
    if (!up_ || searching) {
        return;
    }
    std::string text = prompt_text();
    if (text != shown_) {
        hide();
        shown_ = std::move(text);
        rl_set_prompt(shown_.c_str());
        show();
    }
}

void TerminalPrompt::read_key() {
    if (!key_is_there()) {
        return;
    }
    rl_callback_read_char();
    report();
    if (!std::exchange(taken_, false)) {
        return;
    }
    // Here, not in `took`: out of readline's stack, a hook may do what it likes, and while it runs
    // no prompt is on the screen.
    const std::weak_ptr<int> alive = alive_;
    const bool is_end = std::exchange(at_end_, false);
    const std::string typed = std::exchange(typed_, {});
    if (!turned_page(is_end ? "q" : typed)) {
        is_end ? end() : run_lines(typed);
    }
    if (!alive.expired() && !sources_.empty()) {
        install();
    }
}

void TerminalPrompt::took(char* line) {
    base::at_boundary("readline", [line] {
        active->up_ = false;
        active->taken_ = true;
        active->at_end_ = line == nullptr;
        if (line != nullptr) {
            active->typed_ = line;
            std::free(line); // NOLINT: readline's malloc
        }
        rl_callback_handler_remove();
    });
}

void TerminalPrompt::page(const Notice& text) {
    unread_ = text;
    show_page();
}

void TerminalPrompt::show_page() {
    int rows = 0;
    int columns = 0;
    rl_get_screen_size(&rows, &columns);
    std::size_t end = 0;
    for (int row = 1; row < std::max(rows, 2) && end < unread_.text.size(); ++row) {
        end = std::min(unread_.text.find('\n', end), unread_.text.size() - 1) + 1;
    }
    Notice shown = unread_;
    shown.text = unread_.text.substr(0, end);
    shown.text.resize(shown.text.find_last_not_of('\n') + 1);
    unread_.text.erase(0, end);
    print(shown);
}

// Whether the line was for the long text that is being shown.
bool TerminalPrompt::turned_page(std::string_view typed) {
    if (unread_.text.empty()) {
        return false;
    }
    const std::string_view word = base::trim(typed);
    if (word.empty()) {
        show_page();
        return true;
    }
    unread_ = {};
    return word == "q";
}

// A paste may bring several lines at once.
void TerminalPrompt::run_lines(std::string_view typed) {
    const std::weak_ptr<int> alive = alive_;
    const std::string all{typed};
    std::string_view rest = all;
    while (!rest.empty() && !alive.expired()) {
        const std::size_t end = rest.find('\n');
        const std::string line{rest.substr(0, end)};
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (!base::trim(line).empty()) {
            remember(line);
            const auto on_line = hooks_.on_line;
            on_line(line);
        }
    }
}

void TerminalPrompt::remember(const std::string& line) {
    if (!history_.wants(line) || table_.is_secret(line)) {
        return;
    }
    const auto words = split_line(line);
    const bool known = words && (words->empty() || table_.find(words->front()) != nullptr);
    add_history(line.c_str());
    if (const base::Status kept = history_.add(line, known); !kept) {
        base::log(base::Level::warning, kept.error().context);
    }
}

void TerminalPrompt::end() {
    rl_crlf();
    static_cast<void>(std::fflush(rl_outstream));
    const bool is_gone = is_hung_up();
    if (is_gone) {
        sources_.clear(); // it would be readable for ever
    }
    const auto on_end = is_gone && hooks_.on_hang_up ? hooks_.on_hang_up : hooks_.on_end;
    if (on_end) {
        on_end();
    }
}

void TerminalPrompt::interrupt() {
    if (!up_) {
        return;
    }
    const bool nothing_typed = rl_end == 0;
    rl_callback_sigcleanup(); // leaves searches and half-typed key sequences
    rl_free_line_state();
    rl_point = rl_end;
    rl_redisplay();
    rl_echo_signal_char(SIGINT);
    rl_crlf();
    static_cast<void>(std::fflush(rl_outstream));
    rl_replace_line("", 1);
    unread_ = {};
    up_ = false;
    rl_callback_handler_remove();
    report();
    const std::weak_ptr<int> alive = alive_;
    if (nothing_typed && hooks_.on_interrupt) {
        const auto on_interrupt = hooks_.on_interrupt;
        on_interrupt();
    }
    if (!alive.expired()) {
        install();
    }
}

void TerminalPrompt::resume_drawing() {
    std::uint64_t count = 0;
    static_cast<void>(::read(continued_.get(), &count, sizeof count) == 0);
    if (up_ && !is_background()) {
        rl_deprep_terminal();
        rl_prep_term_function(1);
        rl_forced_update_display();
    }
}

} // namespace

std::unique_ptr<Prompt>
open_terminal_prompt(const Table& table, Prompt::Hooks hooks, const std::string& history_path) {
    return std::make_unique<TerminalPrompt>(table, std::move(hooks), history_path);
}

} // namespace revenant::shell
