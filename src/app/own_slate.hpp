// The page that the keeper sees of us (include/revenant/keeper/slate.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "revenant/base/fd.hpp"
#include "revenant/keeper/slate.hpp"

namespace revenant::app {

class OwnSlate {
public:
    // The page of an earlier life, or a new one if there is no descriptor. Without a keeper, or
    // where the kernel gives none, it is memory like any other. Never unmapped: signal handlers use
    // it to the end.
    explicit OwnSlate(base::Fd kept, bool is_kept);

    // To be handed over; -1: nobody could share it.
    [[nodiscard]] int fd() const { return fd_ ? fd_.get() : -1; }

    [[nodiscard]] keeper::Slate& operator*() const { return *slate_; }

    // The line that is being typed, and the byte before which its cursor is. A longer one than
    // there is room for is not kept.
    struct Line {
        std::string text;
        std::size_t cursor = 0;
    };

    void keep_line(std::string_view text, std::size_t cursor);
    // What an earlier life has kept, if it is a line.
    [[nodiscard]] Line kept_line() const;

private:
    base::Fd fd_;
    keeper::Slate* slate_;
};

} // namespace revenant::app
