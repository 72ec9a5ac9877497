// Records that kill: which call an earlier start has died on, and what becomes of it. The first
// death makes it a suspect, which comes back after all others and alone; the second in a row puts
// its record away.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::app {

class Switchboard;

// The suspects after that death: those before with what it adds. A call that has no record, or
// whose number another has now, is none.
[[nodiscard]] std::vector<base::Suspect> judged(const std::optional<base::LastDeath>& death,
                                                const std::vector<base::Suspect>& before,
                                                const std::vector<call::Dialog>& records);

class Suspects {
public:
    static constexpr std::uint32_t deaths_max = 2;

    struct Quarantined {
        call::Dialog dialog; // the number only, of a record that cannot be read
        std::string path;    // where it is now; empty: it could not be put away
        std::string reason;
    };

    // Both borrowed.
    Suspects(base::HandPage& page, journal::Store& store);

    // Before the records are read: puts away what a start has died on reading, twice.
    void judge_unread();
    // Puts away what must be, takes it out of `loaded`, and remembers the others.
    void judge(journal::Loaded& loaded);

    [[nodiscard]] const std::vector<Quarantined>& quarantined() const { return quarantined_; }

    [[nodiscard]] std::set<call::Number> calls() const;

    // In words, for the user: how the last start ended, if of its own fault.
    [[nodiscard]] const std::string& last_signal() const { return signal_; }

    // Acquits, in time, those that do no harm any more.
    void watch(const Switchboard& board);
    // One look, and every call that was back at the one before, too, is acquitted.
    void look(const Switchboard& board);

private:
    void put_away(const call::Dialog& dialog, bool is_read);

    base::HandPage* page_;
    journal::Store* store_;
    std::vector<base::Suspect> suspects_;
    std::vector<Quarantined> quarantined_;
    std::set<call::Number> back_; // at the last look
    std::string signal_;
    base::Source looks_;
};

} // namespace revenant::app
