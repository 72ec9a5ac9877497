// A registrar or a proxy wants to know who we are (RFC 3261 §22, RFC 7616 §3.3).
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/text.hpp"

namespace revenant::account {

namespace {

constexpr const char* no_way = "it asks who we are in a way that this phone does not know";
constexpr std::size_t challenges_most = 8;
constexpr std::size_t text_most = 1024;

// What a record has no room for could not be stored.
bool fits(const Challenge& challenge) {
    return std::ranges::all_of(
        std::array{&challenge.realm, &challenge.nonce, &challenge.opaque, &challenge.algorithm},
        [](const std::string* text) { return text->size() <= text_most; });
}

std::string realm_text(const Challenge& challenge) {
    return base::printable(challenge.realm, 100);
}

auto find(std::vector<Challenge>& among, const Challenge& challenge) {
    return std::ranges::find_if(among, [&](const Challenge& known) {
        return known.is_proxys == challenge.is_proxys && known.realm == challenge.realm;
    });
}

// Whether our last request had credentials for it that the other end has looked at and not taken.
// Another nonce means that ours may only have been old: many say so without `stale`. Once.
bool is_final(Binding& binding, const Challenged& asked) {
    auto& known = binding.record.challenges;
    const auto last = find(known, asked.challenge);
    if (last == known.end() || asked.is_stale || binding.was_keyed) {
        return false;
    }
    const bool is_second = find(binding.rejected, asked.challenge) != binding.rejected.end();
    binding.rejected.push_back(asked.challenge);
    return is_second || last->nonce == asked.challenge.nonce;
}

void keep(Registration& record, const Challenge& challenge) {
    const auto known = find(record.challenges, challenge);
    if (known == record.challenges.end()) {
        if (record.challenges.size() >= challenges_most) {
            record.challenges.erase(record.challenges.begin());
        }
        record.challenges.push_back(challenge);
        record.challenges.back().nonce_count = 0;
        return;
    }
    const std::uint32_t count = known->nonce == challenge.nonce ? known->nonce_count : 0;
    *known = challenge;
    known->nonce_count = count;
}

} // namespace

bool take_challenges(Binding& binding, const event::Answered& e, std::string& why) {
    const auto unknown = std::ranges::find(e.challenges, false, &Challenged::has_credentials);
    const std::string missing =
        unknown == e.challenges.end()
            ? std::string{}
            : fmt::format("no user and password for realm \"{}\"; give them with `key`, or in the "
                          "configuration of the account",
                          realm_text(unknown->challenge));
    std::vector<Challenge> seen;
    for (const Challenged& asked : e.challenges) {
        // The first of a realm is the one that the other end would have (RFC 8760 §2.4).
        if (!asked.has_credentials || !fits(asked.challenge) ||
            find(seen, asked.challenge) != seen.end()) {
            continue;
        }
        seen.push_back(asked.challenge);
        if (is_final(binding, asked)) {
            why = !missing.empty()
                      ? missing
                      : fmt::format("it does not take user and password for realm \"{}\"; give "
                                    "others with `key`, or in the configuration of the account",
                                    realm_text(asked.challenge));
            return false;
        }
        keep(binding.record, asked.challenge);
    }
    why = missing.empty() ? no_way : missing;
    return !seen.empty();
}

void challenged(Step& step, const event::Answered& e, const Circumstances& c) {
    std::string why;
    if (take_challenges(step.binding, e, why)) {
        go_on(step, e, c);
    } else if (step.binding.state == State::leaving) {
        left(step, e, c);
    } else {
        give_up(step, failure_of(e), std::move(why));
    }
}

} // namespace revenant::account
