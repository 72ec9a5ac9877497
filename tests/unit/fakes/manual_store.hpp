// A store that answers when it is told to: late, out of order between calls, with an error, never.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::journal {

class ManualStore final : public Store {
public:
    struct Write {
        call::Number number = 0;
        std::string record; // empty: removed
        Done done;
    };

    std::vector<Write> open; // asked for, not answered; oldest first

    // Whether a write is answered within: nothing, or with what.
    std::vector<base::Status> at_once; // for the next writes, first one first
    bool is_prompt = false;            // then those after them succeed at once

    // Answers the oldest open write of the call.
    void answer(call::Number number, const base::Status& status = {}) {
        const auto found = std::ranges::find(open, number, &Write::number);
        const Write write = std::move(*found);
        open.erase(found);
        write.done(status);
    }

    base::Result<Loaded> load() override { return Loaded{}; }

    void save(const call::Dialog& dialog, const Done& done) override {
        take({dialog.number, encode(dialog), done});
    }

    void remove(call::Number number, const Done& done) override { take({number, {}, done}); }

    base::Result<std::uint32_t> next_epoch() override { return 1U; }

    base::Result<std::string> quarantine(call::Number /*number*/) override {
        return base::fail(base::Errc::not_found, "nothing is stored");
    }

private:
    void take(Write write) {
        if (!at_once.empty()) {
            const base::Status status = at_once.front();
            at_once.erase(at_once.begin());
            write.done(status);
        } else if (is_prompt) {
            write.done({});
        } else {
            open.push_back(std::move(write));
        }
    }
};

} // namespace revenant::journal
