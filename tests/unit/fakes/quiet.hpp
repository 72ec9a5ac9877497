// Keeps what the code under test prints off the test's own output.
#pragma once

#include <cstdio>
#include <iostream>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "revenant/base/fd.hpp"
#include "revenant/shell/output.hpp"

namespace revenant {

// While it lives, standard output goes into memory.
class Quiet {
public:
    Quiet() : saved_{::dup(STDOUT_FILENO)}, memory_{::memfd_create("stdout", MFD_CLOEXEC)} {
        flush();
        ::dup2(memory_.get(), STDOUT_FILENO);
    }

    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

    ~Quiet() {
        const std::string all = text();
        ::dup2(saved_.get(), STDOUT_FILENO);
        if (all.find("ERROR: ") != std::string::npos) { // a check failed in between
            std::cout << all << std::flush;
        }
    }

    [[nodiscard]] std::string text() const {
        shell::flush_output(0); // what was gathered
        flush();
        std::string all(static_cast<std::size_t>(::lseek(memory_.get(), 0, SEEK_END)), '\0');
        const ssize_t got = ::pread(memory_.get(), all.data(), all.size(), 0);
        all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return all;
    }

private:
    static void flush() {
        std::cout.flush();
        static_cast<void>(std::fflush(stdout));
    }

    base::Fd saved_;
    base::Fd memory_;
};

} // namespace revenant
