#include "media/server.hpp"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <ctime>

#include <poll.h>
#include <pthread.h>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"

namespace revenant::media {

Server::Server() = default;

Server::~Server() {
    assert(!thread_.joinable());
    // Commands that the thread did not see before it left.
    for (Command* command = commands_.take(); command != nullptr;) {
        const std::unique_ptr<Command> owned{command};
        command = command->next;
    }
}

void Server::start() {
    // Signals are the main thread's: it starts this one with all of them blocked, but for those of
    // a fault, which are this thread's own (revenant/base/in_hand.hpp).
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) {
        ::sigdelset(&all, fault);
    }
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[this] { work(); }};
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(thread_.native_handle(), "media");
}

void Server::post(std::unique_ptr<Command> command) {
    command->done.kind = Notice::Kind::command_done;
    command->done.command = command.get();
    commands_.post(command.release());
}

void Server::leave() {
    if (!thread_.joinable()) {
        return;
    }
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::leave;
    post(std::move(command));
    thread_.join();
}

bool Server::handle_commands(const base::Now& now) {
    Command* next = commands_.take();
    while (next != nullptr) {
        Command& command = *next;
        next = command.next;
        const base::InHand hand{command.session != nullptr ? command.session->call() : 0};
        switch (command.kind) {
        case Command::Kind::start:
            wheel_.insert(command.session, command.session->apply(command.plan, now, workspace_));
            break;
        case Command::Kind::update:
            wheel_.remove(command.session);
            wheel_.insert(command.session, command.session->apply(command.plan, now, workspace_));
            break;
        case Command::Kind::stop:
            wheel_.remove(command.session);
            command.session->say_bye(now, workspace_);
            notices_.post(&command.session->retired);
            break;
        case Command::Kind::leave: notices_.post(&command.done); return false;
        }
        notices_.post(&command.done);
    }
    return true;
}

void Server::serve_until(std::int64_t tick, const base::Now& now) {
    // After a stall of a whole turn of the wheel every bucket is due, and each is visited once.
    served_tick_ = std::max(served_tick_, tick - Wheel<Session>::size);
    while (served_tick_ < tick) {
        ++served_tick_;
        Session* next = wheel_.take(served_tick_);
        while (next != nullptr) {
            Session& session = *next;
            next = session.wheel_next;
            const base::InHand hand{session.call()};
            base::pass_step("", "media", session.call());
            wheel_.insert(&session, session.serve(now, workspace_));
        }
    }
}

void Server::sleep() {
    pollfd wake{.fd = commands_.fd(), .events = POLLIN, .revents = 0};
    const auto next = wheel_.next_tick(served_tick_ + 1);
    timespec timeout{};
    if (next) {
        // Recomputed from the absolute time of the tick each time, so that nothing adds up.
        const std::int64_t wait_ns =
            std::max<std::int64_t>(*next * grid_ns - base::read_clock().boot_ns, 0);
        timeout = {.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
    }
    if (::ppoll(&wake, 1, next ? &timeout : nullptr, nullptr) > 0) {
        commands_.clear();
    }
}

void Server::work() {
    served_tick_ = base::read_clock().boot_ns / grid_ns;
    for (;;) {
        const base::Now now = base::read_clock();
        if (wheel_.empty()) {
            // Nobody was owed anything meanwhile: the next session begins in the present.
            served_tick_ = now.boot_ns / grid_ns;
        }
        if (!handle_commands(now)) {
            return;
        }
        serve_until(now.boot_ns / grid_ns, now);
        sleep();
    }
}

} // namespace revenant::media
