// The page that the keeper sees of us (include/revenant/keeper/slate.hpp).
#pragma once

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

private:
    base::Fd fd_;
    keeper::Slate* slate_;
};

} // namespace revenant::app
