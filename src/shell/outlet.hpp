// A file descriptor that is written to without ever waiting: what the reader does not take is kept
// up to a bound, then dropped and counted.
//
// The descriptor's own flags are left alone, for it is shared with the parent and with stdin: a
// pipe or terminal is opened once more, non-blocking, through /proc/self/fd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/base/fd.hpp"

namespace revenant::shell {

class Outlet {
public:
    static constexpr std::size_t pending_max = std::size_t{1} << 20U;

    // Borrows `fd`, which stays open while the Outlet lives.
    explicit Outlet(int fd);

    // Writes what it can now, nothing if older text waits; the rest waits for `flush`. False if
    // `text`, as a whole, was dropped: there was no room, or nobody reads any more.
    bool write(std::string_view text);

    // Tries again. True when nothing waits any more.
    bool flush();

    // Waits until all is written, for `wait_ms` at most.
    bool drain(std::uint32_t wait_ms);

    // Whether a write would get anything out now.
    [[nodiscard]] bool ready() const;

    [[nodiscard]] bool pending() const { return !pending_.empty(); }

    // The reader is gone (EPIPE, EIO): everything is dropped from here on.
    [[nodiscard]] bool closed() const { return closed_; }

    // Lines dropped for want of room since the last call.
    [[nodiscard]] std::size_t take_dropped();

    // What to give to others who write to the same place; -1 if it could not be opened again.
    [[nodiscard]] int own() const { return own_.get(); }

private:
    enum class Kind : std::uint8_t { plain, own, socket };

    // Bytes written at the start of `text`; the rest would have had to wait.
    std::size_t write_some(std::string_view text);

    int fd_;
    base::Fd own_;
    Kind kind_ = Kind::plain;
    std::string pending_;
    std::size_t dropped_ = 0;
    bool closed_ = false;
};

} // namespace revenant::shell
