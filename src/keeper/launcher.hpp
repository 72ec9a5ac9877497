// Starting the phone as systemd would: descriptors from 3 on, LISTEN_*, NOTIFY_SOCKET, WATCHDOG_*.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

#include "keeper/fd_store.hpp"
#include "keeper/signals.hpp"

namespace revenant::keeper {

class Launcher {
public:
    // `command` is PROGRAM, its arguments and a null pointer, and lives as long as the process.
    // PROGRAM is looked up in PATH at each start, so that a new binary is found. `watchdog` 0:
    // none.
    Launcher(char* const* command,
             const Signals& signals,
             const std::string& notify_address,
             std::chrono::microseconds watchdog);

    struct Started {
        pid_t pid = -1;
        int error = 0; // errno, if there is no phone now
    };

    // Returns when the phone has been exec'ed, or could not be. `store` must be arranged. What the
    // last life has died of is passed on as KEEPER_DEATH unless it is empty.
    [[nodiscard]] Started start(const FdStore& store, const std::string& death);

private:
    // An assignment that ends in the phone's own pid, which only the child knows.
    class PidVariable {
    public:
        explicit PidVariable(const char* name);
        void set(pid_t pid);

        [[nodiscard]] char* text() { return text_.data(); }

    private:
        std::array<char, 32> text_{};
        std::size_t start_;
    };

    // Runs in the child, which shares our memory until exec while we stand still (vfork).
    static int become_phone(void* launcher);
    void fill_environment(const FdStore& store, const std::string& death);

    char* const* command_;
    const Signals& signals_; // outlives the launcher
    std::vector<char*> environment_;
    std::size_t
        inherited_; // that many of them are our own environment, without systemd's variables
    std::string notify_socket_;
    std::string keeper_pid_;
    std::string watchdog_;
    std::string death_;
    std::string listen_fds_;
    std::string listen_names_;
    PidVariable listen_pid_{"LISTEN_PID="};
    PidVariable watchdog_pid_{"WATCHDOG_PID="};
    int exec_error_ = 0;
    alignas(16) std::array<std::byte, 65536> stack_; // execvpe needs some kB for paths
};

} // namespace revenant::keeper
