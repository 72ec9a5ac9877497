// The keeper's view of the page that the phone shares with it.
#pragma once

#include "revenant/keeper/slate.hpp"

namespace revenant::keeper {

class SlateView {
public:
    SlateView() = default;
    ~SlateView();
    SlateView(const SlateView&) = delete;
    SlateView& operator=(const SlateView&) = delete;

    // Maps it if it is one: memory of the right size, sealed so that it cannot shrink beneath us.
    void open(int fd);

    // What an earlier life has said of itself must not be taken for the next one's word.
    void begin_life();

    [[nodiscard]] bool in_store() const;
    // The signal by which the phone was asked to end; 0: none.
    [[nodiscard]] int asked_to_end() const;

private:
    [[nodiscard]] bool is_readable() const;

    Slate* slate_ = nullptr;
};

} // namespace revenant::keeper
