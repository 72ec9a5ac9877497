// Names of hosts and services, looked up without ever waiting: every question has a deadline, and
// everybody who asks is told from the main loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/boot_clock.hpp"
#include "revenant/base/source.hpp"
#include "sip/names/name_cache.hpp"
#include "sip/names/name_records.hpp"
#include "sip/names/name_servers.hpp"

namespace revenant::sip {

class Names {
public:
    enum class Outcome : std::uint8_t {
        found,     // perhaps an old answer, where no server has a new one (RFC 8767)
        no_record, // the name has none of that type
        no_name,   // there is no such name
        unanswered,
    };
    using Told = std::function<void(Outcome)>;
    using Ticket = std::uint64_t; // never 0

    enum class Patience : std::uint8_t {
        usual,
        little, // there is something else to go on with
    };

    // For all stacks; opened at the first use.
    [[nodiscard]] static Names& instance();
    // At the end, when no stack is left: whoever waits is never told.
    static void close();

    // `told` comes once, from the main loop, never from within; unless it is forgotten before.
    [[nodiscard]] Ticket ask(const NameKey& key, Patience patience, Told told);
    void forget(Ticket ticket);
    // Asked for soon: so that a server that says nothing costs the time of one question.
    void prepare(const NameKey& key);

    // The last good answer, however old.
    [[nodiscard]] std::vector<NameRecord> records(const NameKey& key) const;

    // What the library's resolvers look into.
    [[nodiscard]] NameCache& cache() { return cache_; }

private:
    using Clock = base::BootClock;

    struct Asker {
        NameKey key;
        Clock::duration patience;
        Told told;
    };

    struct Known {
        Outcome outcome = Outcome::no_name;
        std::vector<NameRecord> records;
        Clock::time_point until;
    };

    Names();
    void follow_config();
    [[nodiscard]] bool is_decided(const NameKey& key, Outcome& outcome);
    void look_up(const NameKey& key);
    void heard(const NameKey& key, NameServers::Verdict verdict, std::string_view bytes);
    void learn(const NameKey& key, Outcome outcome, std::vector<NameRecord> records);
    [[nodiscard]] Outcome fall_back(const NameKey& key);
    void tell_all(const NameKey& key, Outcome outcome);
    void tell_soon(Ticket ticket, Outcome outcome);
    void tell();
    void look_at_time();
    void give_up_late();
    void ask_again();
    [[nodiscard]] bool is_late(const Asker& asker) const;

    NameCache cache_;
    NameServers servers_;
    bool are_failing_ = false; // the last thing heard of the servers is nothing
    Ticket last_ticket_ = 0;
    std::map<Ticket, Asker> askers_;
    std::map<NameKey, Clock::time_point> asked_; // since when; no answer yet
    std::map<NameKey, Known> known_;
    std::map<NameKey, Clock::time_point> unanswered_until_; // and until then nobody asks again
    std::vector<std::pair<Ticket, Outcome>> to_tell_;
    base::Source telling_;
    base::Source ticking_;
};

// "no such host 'bob'", and the like.
[[nodiscard]] std::string name_failure(Names::Outcome outcome, std::string_view name);

} // namespace revenant::sip
