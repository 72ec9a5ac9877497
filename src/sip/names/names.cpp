#include "sip/names/names.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"

namespace revenant::sip {

namespace {

using namespace std::chrono_literals;

constexpr auto usual_patience = 8s;      // two tries of each of two servers, and some
constexpr auto little_patience = 1500ms; // and where the servers have just failed
constexpr auto rest_after_silence = 5s;
constexpr auto negative_life = 5s; // a name that was mistyped, or was not there yet
constexpr std::uint32_t tick_ms = 100;
constexpr std::size_t askers_max = 64;
constexpr std::size_t asked_max = 256; // c-ares goes on with what nobody waits for any more
constexpr std::size_t known_max = 512;

std::unique_ptr<Names>& slot() {
    static std::unique_ptr<Names> names;
    return names;
}

Names::Outcome outcome_of(NameServers::Verdict verdict) {
    switch (verdict) {
    case NameServers::Verdict::answered: return Names::Outcome::found;
    case NameServers::Verdict::no_record: return Names::Outcome::no_record;
    case NameServers::Verdict::no_name: return Names::Outcome::no_name;
    case NameServers::Verdict::refused:
    case NameServers::Verdict::silent: return Names::Outcome::unanswered;
    }
    return Names::Outcome::unanswered;
}

} // namespace

Names& Names::instance() {
    if (!slot()) {
        slot().reset(new Names);
    }
    return *slot();
}

void Names::close() {
    slot().reset();
}

// SAFETY: the servers are a member.
Names::Names()
    : servers_{[this](const NameKey& key, NameServers::Verdict verdict, std::string_view bytes) {
          heard(key, verdict, bytes);
      }} {}

Names::Ticket Names::ask(const NameKey& key, Patience patience, Told told) {
    follow_config();
    if (askers_.size() >= askers_max) { // the oldest has waited long enough
        const Ticket oldest = askers_.begin()->first;
        tell_soon(oldest, fall_back(askers_.begin()->second.key));
    }
    const Ticket ticket = ++last_ticket_;
    const bool is_short = patience == Patience::little || are_failing_ || !records(key).empty();
    const auto asker =
        askers_.emplace(ticket, Asker{.key = key,
                                      .patience = is_short ? Clock::duration{little_patience}
                                                           : Clock::duration{usual_patience},
                                      .told = std::move(told)});
    Outcome outcome{};
    if (is_decided(key, outcome)) {
        tell_soon(ticket, outcome);
        return ticket;
    }
    look_up(key);
    if (is_late(asker.first->second)) {
        tell_soon(ticket, fall_back(key));
    }
    return ticket;
}

void Names::forget(Ticket ticket) {
    askers_.erase(ticket);
}

void Names::prepare(const NameKey& key) {
    Outcome outcome{};
    if (!is_decided(key, outcome)) {
        look_up(key);
    }
}

std::vector<NameRecord> Names::records(const NameKey& key) const {
    const auto found = known_.find(key);
    return found != known_.end() ? found->second.records : std::vector<NameRecord>{};
}

// Other servers than before: what is under way is asked of them.
void Names::follow_config() {
    if (!servers_.follow_config()) {
        return;
    }
    are_failing_ = false;
    unanswered_until_.clear();
    std::erase_if(known_, [](const auto& one) { return one.second.records.empty(); });
    ask_again();
}

// What somebody waits for; the servers have forgotten everything.
void Names::ask_again() {
    asked_.clear();
    std::vector<NameKey> wanted;
    for (const auto& [ticket, asker] : askers_) {
        wanted.push_back(asker.key);
    }
    std::ranges::for_each(wanted, [this](const NameKey& key) { look_up(key); });
}

bool Names::is_decided(const NameKey& key, Outcome& outcome) {
    const auto now = Clock::now();
    if (const auto known = known_.find(key); known != known_.end() && known->second.until > now) {
        outcome = known->second.outcome;
        if (outcome == Outcome::found) { // the library's cache counts in whole seconds
            cache_.store(key, known->second.records);
        }
        return true;
    }
    if (const auto silent = unanswered_until_.find(key);
        silent != unanswered_until_.end() && silent->second > now) {
        outcome = fall_back(key);
        return true;
    }
    if (auto records = servers_.in_hosts_file(key); records && !records->empty()) {
        outcome = Outcome::found;
        cache_.store(key, *records);
        learn(key, outcome, std::move(*records));
        return true;
    }
    return false;
}

void Names::look_up(const NameKey& key) {
    if (!asked_.emplace(key, Clock::now()).second) {
        return;
    }
    if (!ticking_) {
        // SAFETY: the source is a member.
        ticking_ = base::every_ms(tick_ms, [this] { look_at_time(); });
    }
    if (servers_.asked() >= asked_max) {
        servers_.cancel();
        ask_again();
        if (!asked_.emplace(key, Clock::now()).second) {
            return;
        }
    }
    servers_.ask(key);
}

void Names::heard(const NameKey& key, NameServers::Verdict verdict, std::string_view bytes) {
    asked_.erase(key);
    Outcome outcome = outcome_of(verdict);
    are_failing_ = outcome == Outcome::unanswered;
    if (are_failing_) {
        if (verdict == NameServers::Verdict::silent) {
            unanswered_until_[key] = Clock::now() + rest_after_silence;
        }
        tell_all(key, fall_back(key));
        return;
    }
    unanswered_until_.erase(key);
    std::vector<NameRecord> records;
    if (outcome == Outcome::found) {
        records = read_records(key.type, bytes);
        outcome = records.empty() ? Outcome::no_record : outcome;
        cache_.store(key, records);
    }
    learn(key, outcome, std::move(records));
    tell_all(key, outcome);
}

void Names::learn(const NameKey& key, Outcome outcome, std::vector<NameRecord> records) {
    if (known_.size() >= known_max && !known_.contains(key)) {
        known_.erase(
            std::ranges::min_element(known_, {}, [](const auto& one) { return one.second.until; }));
    }
    const auto life = records.empty() ? Clock::duration{negative_life}
                                      : Clock::duration{std::chrono::seconds{std::clamp(
                                            records.front().ttl_s, cached_least_s, cached_most_s)}};
    known_[key] = {.outcome = outcome, .records = std::move(records), .until = Clock::now() + life};
}

// No server answers: what was true once, if anything.
Names::Outcome Names::fall_back(const NameKey& key) {
    std::vector<NameRecord> old = records(key);
    std::ranges::for_each(old, [](NameRecord& record) { record.ttl_s = cached_least_s; });
    cache_.store(key, old);
    return old.empty() ? Outcome::unanswered : Outcome::found;
}

void Names::tell_all(const NameKey& key, Outcome outcome) {
    for (const auto& [ticket, asker] : askers_) {
        if (asker.key == key) {
            tell_soon(ticket, outcome);
        }
    }
}

void Names::tell_soon(Ticket ticket, Outcome outcome) {
    to_tell_.emplace_back(ticket, outcome);
    if (!telling_) {
        // SAFETY: the source is a member.
        telling_ = base::when_idle([this] { tell(); });
    }
}

void Names::tell() {
    telling_.reset();
    for (const auto& [ticket, outcome] : std::exchange(to_tell_, {})) {
        const auto asker = askers_.extract(ticket);
        if (!asker.empty()) {             // neither forgotten nor told already
            asker.mapped().told(outcome); // may ask for more
        }
    }
}

void Names::look_at_time() {
    follow_config();
    cache_.clean(); // the library does it in a timer of its resolver's, which never runs now
    servers_.look_at_time();
    give_up_late();
    const auto now = Clock::now();
    std::erase_if(unanswered_until_, [now](const auto& one) { return one.second <= now; });
    if (askers_.empty() && servers_.asked() == 0) {
        ticking_.reset();
    }
}

bool Names::is_late(const Asker& asker) const {
    const auto asked = asked_.find(asker.key);
    return asked != asked_.end() && asked->second + asker.patience <= Clock::now();
}

// An answer that comes later is welcome all the same: c-ares still waits for it.
void Names::give_up_late() {
    for (const auto& [ticket, asker] : askers_) {
        if (is_late(asker)) {
            are_failing_ = are_failing_ || asker.patience == Clock::duration{usual_patience};
            tell_soon(ticket, fall_back(asker.key));
        }
    }
}

std::string name_failure(Names::Outcome outcome, std::string_view name) {
    const std::string shown = base::printable(name, 200);
    switch (outcome) {
    case Names::Outcome::found: return {};
    case Names::Outcome::no_record: return fmt::format("'{}' has no address", shown);
    case Names::Outcome::no_name: return fmt::format("no such host '{}'", shown);
    case Names::Outcome::unanswered:
        return fmt::format("no name server answers for '{}'; see /etc/resolv.conf", shown);
    }
    return {};
}

} // namespace revenant::sip
