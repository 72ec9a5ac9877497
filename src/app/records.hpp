// The records of calls: where they are kept, which there were at the start, and which of them an
// earlier start has died on.
#pragma once

#include <memory>

#include "app/keeper_link.hpp"
#include "app/suspects.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

class Records {
public:
    // What this start touches is noted from here on.
    [[nodiscard]] base::Status open(const shell::Options& options, const Keeping& keeping);

    [[nodiscard]] journal::Store& store() const { return *store_; }

    // What was there, once.
    [[nodiscard]] journal::Loaded take();

    // Null without a journal.
    [[nodiscard]] Suspects* suspects() const { return suspects_.get(); }

private:
    void begin_page(const shell::Options& options, const Keeping& keeping);

    std::unique_ptr<journal::Store> store_;
    std::unique_ptr<base::HandPage> page_;
    std::unique_ptr<Suspects> suspects_;
    journal::Loaded loaded_;
};

} // namespace revenant::app
