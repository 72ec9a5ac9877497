#include "app/suspects.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <string.h> // NOLINT(modernize-deprecated-headers): sigabbrev_np

#include <fmt/format.h>

#include "app/switchboard.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/state_traits.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::app {

namespace {

// A peer repeats what it has said for 32 s (64*T1, RFC 3261 §17.2.2): what was bad about that has
// been heard again by the second look.
constexpr std::uint32_t look_ms = 32'000;

std::uint64_t identity_of(const call::Dialog& dialog) {
    return static_cast<std::uint64_t>(base::mark_of(dialog.call_id + ' ' + dialog.local_tag));
}

const call::Dialog* find(const std::vector<call::Dialog>& records, std::uint32_t number) {
    const auto found = std::ranges::find(records, number, &call::Dialog::number);
    return found != records.end() ? &*found : nullptr;
}

bool is_one_of_them(const base::LastDeath& death, const call::Dialog& record) {
    if (death.mark ==
        base::Mark::none) { // nothing was in hand: it is one of those that were under way
        return std::ranges::find(death.under_way, record.number) != death.under_way.end();
    }
    return death.mark == base::mark_of(record.number) ||
           death.mark == base::mark_of(record.call_id);
}

std::string signal_name(int signal) {
    if (signal == 0) {
        return "it hung";
    }
    const char* const name = ::sigabbrev_np(signal);
    return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

} // namespace

std::vector<base::Suspect> judged(const std::optional<base::LastDeath>& death,
                                  const std::vector<base::Suspect>& before,
                                  const std::vector<call::Dialog>& records) {
    std::vector<base::Suspect> after;
    for (const base::Suspect& suspect : before) {
        const call::Dialog* record = find(records, suspect.call);
        const bool is_known = record != nullptr && suspect.deaths > 0 &&
                              (suspect.identity == 0 || suspect.identity == identity_of(*record));
        if (is_known) {
            after.push_back(suspect);
            after.back().identity = identity_of(*record);
        }
    }
    std::vector<const call::Dialog*> suspected;
    for (const call::Dialog& record : records) {
        if (death && is_one_of_them(*death, record)) {
            suspected.push_back(&record);
        }
    }
    for (const call::Dialog* record : suspected) {
        auto entry = std::ranges::find(after, record->number, &base::Suspect::call);
        if (entry == after.end()) {
            after.push_back({.call = record->number, .identity = identity_of(*record)});
            entry = std::prev(after.end());
        }
        // With others in the same place, none of them can be told to be the one.
        const bool is_alone = suspected.size() == 1;
        entry->deaths = is_alone ? entry->deaths + 1 : std::max<std::uint32_t>(entry->deaths, 1);
    }
    std::ranges::stable_sort(after, std::ranges::greater{}, &base::Suspect::deaths);
    return after;
}

Suspects::Suspects(base::HandPage& page, journal::Store& store) : page_{&page}, store_{&store} {}

void Suspects::judge_unread() {
    const auto death = page_->last_death();
    if (!death) {
        return;
    }
    signal_ = signal_name(death->signal);
    std::vector<base::Suspect> all = page_->suspects();
    const auto number = static_cast<std::uint32_t>(death->mark);
    if (number == 0 || death->mark != base::mark_of_reading(number)) {
        return;
    }
    auto entry = std::ranges::find(all, number, &base::Suspect::call);
    if (entry == all.end()) {
        entry = all.insert(all.begin(), {.call = number});
    }
    entry->deaths += 1;
    if (entry->deaths >= deaths_max) {
        all.erase(entry);
        call::Dialog unread;
        unread.number = number;
        put_away(unread, false);
    }
    page_->judge(all); // now: the reading may end this start as well
}

void Suspects::judge(journal::Loaded& loaded) {
    suspects_ = judged(page_->last_death(), page_->suspects(), loaded.dialogs);
    const auto is_convicted = [](const base::Suspect& s) { return s.deaths >= deaths_max; };
    for (const base::Suspect& suspect : suspects_) {
        const auto record = std::ranges::find(loaded.dialogs, suspect.call, &call::Dialog::number);
        if (is_convicted(suspect) && record != loaded.dialogs.end()) {
            put_away(*record, true);
            if (quarantined_.back().path.empty()) {
                loaded.taken.push_back(suspect.call);
            }
            loaded.dialogs.erase(record);
        }
    }
    // Convicted, and left where it was: the next start is to know it still.
    const auto is_away = [this](const base::Suspect& s) {
        return std::ranges::any_of(quarantined_, [&](const Quarantined& q) {
            return q.dialog.number == s.call && !q.path.empty();
        });
    };
    std::erase_if(suspects_, is_away);
    page_->judge(suspects_);
    std::erase_if(suspects_, is_convicted);
}

void Suspects::put_away(const call::Dialog& dialog, bool is_read) {
    const auto path = store_->quarantine(dialog.number);
    const std::string how = signal_.empty() ? std::string{} : fmt::format(" ({})", signal_);
    const std::string why =
        fmt::format("two starts in a row died {} it{}", is_read ? "on" : "reading", how);
    quarantined_.push_back(
        {.dialog = dialog,
         .path = path.value_or(std::string{}),
         .reason = path ? fmt::format("{}; its record is now {}: to try it again, end the phone "
                                      "and rename it to {}.json",
                                      why, *path, dialog.number)
                        : fmt::format("{}; {}", why, path.error().context)});
}

std::set<call::Number> Suspects::calls() const {
    std::set<call::Number> numbers;
    for (const base::Suspect& suspect : suspects_) {
        numbers.insert(suspect.call);
    }
    return numbers;
}

void Suspects::watch(const Switchboard& board) {
    if (!suspects_.empty()) {
        // SAFETY: the source is a member.
        looks_ = base::every_ms(look_ms, [this, &board] { look(board); });
    }
}

void Suspects::look(const Switchboard& board) {
    std::set<call::Number> back;
    for (const base::Suspect& suspect : suspects_) {
        const call::Call* call = board.find(suspect.call);
        if (call == nullptr || call::traits(call->state).is_back) {
            back.insert(suspect.call);
        }
    }
    const auto is_acquitted = [&](const base::Suspect& suspect) {
        return back.contains(suspect.call) && back_.contains(suspect.call);
    };
    if (std::erase_if(suspects_, is_acquitted) > 0) {
        page_->judge(suspects_);
    }
    back_ = std::move(back);
    if (suspects_.empty()) {
        looks_.reset();
    }
}

} // namespace revenant::app
