// A file descriptor with an owner.
#pragma once

#include <utility>

#include <unistd.h>

namespace revenant::base {

class Fd {
public:
    Fd() = default;

    explicit Fd(int fd) noexcept : fd_{fd} {}

    Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

    Fd& operator=(Fd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }

    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    explicit operator bool() const noexcept { return fd_ >= 0; }

    void reset(int fd = -1) noexcept {
        const int old = std::exchange(fd_, fd);
        if (old >= 0) {
            ::close(old);
        }
    }

private:
    int fd_ = -1;
};

} // namespace revenant::base
