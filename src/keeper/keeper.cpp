#include "keeper/keeper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string_view>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/glance.hpp"
#include "keeper/limits.hpp"
#include "keeper/say.hpp"

namespace revenant::keeper {

namespace {

using namespace std::chrono_literals;

// How long a phone that is asked to end may take. It gives its own BYEs 4 s.
constexpr Clock::duration end_within = 5s;
// Stored descriptors are put in order when the phone has been quiet for so long, not at its death.
constexpr Clock::duration quiet = 50ms;
constexpr std::size_t status_length_max = 200;
constexpr int messages_per_turn = 64;
// The queue holds net.unix.max_dgram_qlen messages (10); the rest is a stranger's flood.
constexpr int messages_of_the_dead = 4096;

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// While nothing is up it may be silent for longer.
Clock::duration start_limit(Clock::duration limit) {
    return limit * 5 / 2;
}

std::string seconds_text(Clock::duration duration) {
    std::array<char, 32> text{};
    const double seconds = std::chrono::duration<double>{duration}.count();
    static_cast<void>(std::snprintf(text.data(), text.size(), "%g s", seconds));
    return text.data();
}

} // namespace

Keeper::Keeper(const Options& options)
    : options_{options}, phone_{printable(file_name(*options.command))}, store_{held_max()},
      signals_{own_descriptors()}, socket_{own_descriptors()}, launcher_{options.command, signals_,
                                                                         socket_.address(),
                                                                         options.watchdog},
      backoff_{options.burst} {}

Ending Keeper::run() {
    start();
    while (!ending_) {
        wait();
        // Read before the signals: if we were stopped until now, the SIGCONT is among them.
        const auto now = Clock::now();
        take_signals();
        take_messages(messages_per_turn);
        take_deaths();
        mind_deadlines(now);
    }
    return *ending_;
}

// ---- starting

void Keeper::start() {
    if (!store_.arrange()) {
        again_after(1s, "cannot arrange the stored sockets: " + error_text(errno));
        return;
    }
    slate_.begin_life();
    const auto [pid, error] = launcher_.start(store_, death_);
    if (error != 0) {
        could_not_start(error);
        return;
    }
    ever_started_ = true;
    pid_ = pid;
    started_ = Clock::now();
    ready_ = false;
    status_.clear();
    asked_ = false;
    refused_.clear();
    start_due_.reset();
    end_due_.reset();
    why_killed_.clear();
    death_.clear();
    watchdog_.begin(started_, start_limit(options_.watchdog));
}

void Keeper::could_not_start(int error) {
    const std::string what =
        "cannot start " + printable(*options_.command) + ": " + error_text(error);
    if (!ever_started_) {
        say(what);
        ending_ = Ending{.status = error == ENOENT ? 127 : 126};
        return;
    }
    // It was there before: a new version is being put in its place, or memory is short.
    again_after(std::max<Clock::duration>(backoff_.after_death(Clock::now(), 0s, false), 100ms),
                what);
}

// ---- waiting

std::optional<Clock::time_point> Keeper::next_deadline() const {
    std::optional<Clock::time_point> next;
    for (const auto& due : {start_due_, watchdog_.due(), end_due_, arrange_due_}) {
        if (due && (!next || *due < *next)) {
            next = due;
        }
    }
    return next;
}

void Keeper::wait() const {
    int timeout_ms = -1;
    if (const auto next = next_deadline()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
        timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
    }
    std::array<pollfd, 2> sources{{{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                                   {.fd = socket_.fd(), .events = POLLIN, .revents = 0}}};
    // Interrupted or not: all sources are read without waiting.
    static_cast<void>(::poll(sources.data(), sources.size(), timeout_ms));
}

void Keeper::mind_deadlines(Clock::time_point now) {
    if (start_due_ && now >= *start_due_ && !ending_) {
        start_due_.reset();
        start();
    }
    if (watchdog_.due() && now >= *watchdog_.due()) {
        look_at_phone(now);
    }
    if (end_due_ && now >= *end_due_) {
        kill_phone("did not end within " + seconds_text(end_within));
    }
    if (arrange_due_ && now >= *arrange_due_) {
        arrange_due_.reset();
        static_cast<void>(store_.arrange()); // tried again, and reported, before the next start
    }
}

void Keeper::look_at_phone(Clock::time_point now) {
    Glance glance = glance_at(pid_);
    glance.in_store = slate_.in_store();
    if (watchdog_.look(now, glance)) {
        kill_phone("hung for " + seconds_text(watchdog_.limit()));
    }
}

// SIGKILL: nothing of it is to speak to a peer again.
void Keeper::kill_phone(const std::string& why) {
    watchdog_.end();
    end_due_.reset();
    why_killed_ = why;
    ::kill(pid_, SIGKILL); // not reaped yet, so the pid is still its own
}

// ---- signals

void Keeper::take_signals() {
    Signals::Arrival arrival;
    while (signals_.receive(arrival)) {
        if (arrival.signal != SIGCHLD) {
            pass_on(arrival);
        }
    }
}

void Keeper::pass_on(const Signals::Arrival& arrival) {
    const int signal = arrival.signal;
    const bool asks_to_end = signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
    if (pid_ == 0) {
        if (asks_to_end) {
            say("no " + phone_ + " is running; ended by " + signal_name(signal));
            ending_ = Ending{.status = 128 + signal, .signal = signal};
        }
        return;
    }
    if (signal == SIGTERM || signal == SIGHUP) { // SIGINT may mean the line that is being typed
        asked_ = true;
        end_due_ = end_due_.value_or(Clock::now() + end_within);
    }
    if (arrival.by_process) {
        ::kill(pid_, signal); // not reaped yet, so the pid is still its own
    }
}

// ---- messages

void Keeper::take_messages(int count_max) {
    for (int count = 0; count < count_max; ++count) {
        Datagram datagram;
        if (!socket_.receive(datagram)) {
            return;
        }
        heed(datagram);
    }
}

void Keeper::refuse(const std::string& what) {
    if (refused_.insert(what).second) {
        say("refused: " + what);
    }
}

void Keeper::heed(Datagram& datagram) {
    if (pid_ == 0 || datagram.sender != pid_) {
        refuse("a message of a process that is not " + phone_);
        return;
    }
    const auto message = read_message(datagram.text);
    if (datagram.truncated || !message) {
        refuse("a message that is too long, broken, or has more sockets than can be open");
        return;
    }
    if (message->barrier) {
        return; // all before it have been heeded; ~Datagram closes what the phone waits for
    }
    if (message->status) {
        status_ = printable(message->status->substr(0, status_length_max));
    }
    hear(*message);
    if (message->remove) {
        if (message->name && is_valid_name(*message->name)) {
            store_.remove(*message->name);
        } else {
            refuse("FDSTOREREMOVE=1 without a valid FDNAME");
        }
    } else if (message->store) {
        store(*message, datagram.passed);
    }
    if (!store_.arranged()) {
        arrange_due_ = Clock::now() + quiet;
    }
}

void Keeper::hear(const Message& message) {
    if (!watchdog_.due()) {
        ready_ = ready_ || message.ready;
        return;
    }
    const auto now = Clock::now();
    if (message.ready && !ready_) {
        watchdog_.begin(now, options_.watchdog);
    }
    if (message.limit) {
        watchdog_.begin(now, *message.limit);
    }
    // What it hands over while it starts, thousands of sockets perhaps, is a sign of life, too.
    if (message.alive || !ready_) {
        watchdog_.heard(now);
    }
    ready_ = ready_ || message.ready;
    if (message.stuck) {
        kill_phone("said that it hangs");
    }
}

void Keeper::store(const Message& message, Passed& passed) {
    std::string_view name = message.name.value_or("stored"); // as systemd
    if (!is_valid_name(name)) {
        refuse("an FDNAME that is not valid; \"stored\" is used");
        name = "stored";
    }
    for (const int fd : passed.take()) {
        if (name == slate_name) {
            slate_.open(fd);
        }
        switch (store_.add(fd, name)) {
        case FdStore::Outcome::stored:
        case FdStore::Outcome::known: break;
        case FdStore::Outcome::full:
            refuse("a socket: " + std::to_string(store_.size()) + " are held, which is the limit");
            break;
        case FdStore::Outcome::names_full:
            refuse("a socket: the names of the " + std::to_string(store_.size()) +
                   " that are held fill LISTEN_FDNAMES (128 KiB)");
            break;
        }
    }
}

// ---- deaths

void Keeper::take_deaths() {
    int how = 0;
    // All children: as process 1 of a container we are given those of others.
    for (pid_t pid = ::waitpid(-1, &how, WNOHANG); pid > 0; pid = ::waitpid(-1, &how, WNOHANG)) {
        if (pid != pid_) {
            continue;
        }
        take_messages(messages_of_the_dead);
        pid_ = 0;
        watchdog_.end();
        end_due_.reset();
        if (WIFSIGNALED(how)) {
            killed(WTERMSIG(how));
        } else {
            exited(WEXITSTATUS(how));
        }
    }
}

void Keeper::exited(int status) {
    terminal_.restore();
    if (status != restart_me || is_asked_to_end()) {
        ending_ = Ending{.status = status != restart_me ? status : 0};
        return;
    }
    start();
}

void Keeper::killed(int signal) {
    terminal_.restore();
    std::string what =
        phone_ + " " + (why_killed_.empty() ? "was killed by " + signal_name(signal) : why_killed_);
    if (!status_.empty()) {
        what += " (its last status: " + status_ + ")";
    }
    what += why_killed_.empty() ? "" : ": killed";
    // Signals by which somebody asks a process to end, whoever it was.
    const bool is_clean = signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
    if (is_clean || is_asked_to_end()) {
        if (!why_killed_.empty()) {
            say(what + "; its calls are left to the next start");
        }
        ending_ = Ending{.status = 128 + signal, .signal = is_clean ? signal : 0};
        return;
    }
    death_ = why_killed_;
    const auto now = Clock::now();
    const Clock::duration wait = backoff_.after_death(now, now - started_, ready_);
    if (wait > 0s) {
        again_after(wait, what);
        return;
    }
    start();
    if (pid_ != 0) {
        say(what + ", started again"); // said afterwards: the start comes first
    }
}

bool Keeper::is_asked_to_end() const {
    return asked_ || slate_.asked_to_end() != 0;
}

void Keeper::again_after(Clock::duration wait, const std::string& why) {
    start_due_ = Clock::now() + wait;
    say(why + "; the next start is in " + seconds_text(wait));
}

} // namespace revenant::keeper
