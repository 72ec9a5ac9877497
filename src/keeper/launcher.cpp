#include "keeper/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace revenant::keeper {

namespace {

constexpr std::array<std::string_view, 9> ours{
    "LISTEN_FDS=",    "LISTEN_FDNAMES=", "LISTEN_PID=",   "LISTEN_PIDFDID=", "NOTIFY_SOCKET=",
    "WATCHDOG_USEC=", "WATCHDOG_PID=",   "KEEPER_DEATH=", "KEEPER_PID=",
};

std::vector<char*> inherited_environment() {
    std::vector<char*> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (std::ranges::none_of(
                ours, [text = std::string_view{*entry}](auto o) { return text.starts_with(o); })) {
            result.push_back(*entry);
        }
    }
    return result;
}

} // namespace

Launcher::PidVariable::PidVariable(const char* name) : start_{std::strlen(name)} {
    std::memcpy(text_.data(), name, start_);
}

void Launcher::PidVariable::set(pid_t pid) {
    char* const end = std::to_chars(&text_[start_], &text_.back(), pid).ptr;
    *end = '\0';
}

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the stack is scratch
Launcher::Launcher(char* const* command,
                   const Signals& signals,
                   const std::string& notify_address,
                   std::chrono::microseconds watchdog)
    : command_{command}, signals_{signals}, environment_{inherited_environment()},
      inherited_{environment_.size()}, notify_socket_{"NOTIFY_SOCKET=" + notify_address},
      keeper_pid_{"KEEPER_PID=" + std::to_string(::getpid())} {
    if (watchdog.count() > 0) {
        watchdog_ = "WATCHDOG_USEC=" + std::to_string(watchdog.count());
    }
}

void Launcher::fill_environment(const FdStore& store, const std::string& death) {
    environment_.resize(inherited_);
    environment_.push_back(notify_socket_.data());
    environment_.push_back(keeper_pid_.data());
    if (!watchdog_.empty()) {
        environment_.push_back(watchdog_.data());
        environment_.push_back(watchdog_pid_.text());
    }
    if (!death.empty()) {
        death_ = "KEEPER_DEATH=" + death;
        environment_.push_back(death_.data());
    }
    if (store.size() > 0) {
        listen_fds_ = "LISTEN_FDS=" + std::to_string(store.size());
        listen_names_.assign("LISTEN_FDNAMES=").append(store.names());
        environment_.push_back(listen_fds_.data());
        environment_.push_back(listen_names_.data());
        environment_.push_back(listen_pid_.text());
    }
    environment_.push_back(nullptr);
}

int Launcher::become_phone(void* launcher) {
    // SAFETY: `start` passes itself, and stands still until we exec or exit.
    auto& self = *static_cast<Launcher*>(launcher);
    const pid_t pid = ::getpid();
    self.listen_pid_.set(pid);
    self.watchdog_pid_.set(pid);
    ::sigprocmask(SIG_SETMASK, &self.signals_.mask_before(), nullptr);
    ::execvpe(self.command_[0], self.command_, self.environment_.data());
    self.exec_error_ = errno;
    ::_exit(127);
}

Launcher::Started Launcher::start(const FdStore& store, const std::string& death) {
    fill_environment(store, death);
    exec_error_ = 0;
    // SAFETY: the child uses our memory and a stack of its own until exec; no handler of ours can
    // run in it, as we have none.
    const pid_t pid = ::clone(become_phone, stack_.data() + stack_.size(),
                              CLONE_VM | CLONE_VFORK | SIGCHLD, this);
    if (pid < 0) {
        return {.pid = -1, .error = errno};
    }
    if (exec_error_ != 0) {
        ::waitpid(pid, nullptr, 0);
        return {.pid = -1, .error = exec_error_};
    }
    return {.pid = pid, .error = 0};
}

} // namespace revenant::keeper
