// A 2xx: what we have now, and when it is asked for again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "account/steps.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

namespace {

constexpr std::int64_t life_most_ms = 115'200'000; // 75 % of it are a day
constexpr std::int64_t short_life_ms = 30'000;
constexpr std::int64_t refresh_least_ms = 1000;
constexpr std::int64_t unlisted_most_ms = 300'000;
constexpr std::int64_t moves_apart_ms = 30'000;
constexpr std::size_t text_most = 1024;
constexpr std::size_t routes_most = 16;

// Somewhere between 50 % and 75 %: phones, and the accounts of one, spread; who fails then has time
// for others before the end. Of a short life it is the half.
std::int64_t refresh_in_ms(const event::Answered& e, std::uint32_t granted_s, std::uint32_t dice) {
    const std::int64_t life_ms = std::min(std::int64_t{granted_s} * 1000, life_most_ms);
    std::int64_t in_ms = life_ms < short_life_ms ? life_ms / 2 : between(life_ms, 500, 750, dice);
    const bool is_listed = e.grant && e.grant->expires_s;
    if (!is_listed) {
        in_ms = std::min(in_ms, between(unlisted_most_ms, 750, 1000, dice));
    }
    return std::max(in_ms, refresh_least_ms);
}

bool fits(const std::string& text) {
    return text.size() <= text_most;
}

// What does not fit into a record could not be stored, and nothing would be sent any more.
std::vector<std::string> fitting(std::vector<std::string> routes) {
    if (!std::ranges::all_of(routes, fits)) {
        return {}; // half a route leads to nowhere
    }
    routes.resize(std::min(routes.size(), routes_most));
    return routes;
}

} // namespace

void take_grant(Registration& record, const event::Answered& e, base::Now now) {
    const Grant grant = e.grant.value_or(Grant{});
    // Who does not list us has said 2xx all the same.
    const std::uint32_t granted_s = grant.expires_s.value_or(record.asked_s);
    if (granted_s == 0) {
        forget_grant(record);
        return;
    }
    record.granted_s = granted_s;
    set_expiry(record, now.boot_ms() + std::int64_t{granted_s} * 1000, now);
    record.service_route = fitting(grant.service_route);
    record.path = fitting(grant.path);
    record.gruu = fits(grant.gruu) ? grant.gruu : std::string{};
    record.public_address = grant.public_address;
}

void granted(Step& step, const event::Answered& e, const Circumstances& c) {
    Binding& binding = step.binding;
    Registration& record = binding.record;
    binding.is_known = true;
    take_grant(record, e, c.now);
    if (record.granted_s == 0) {
        fail(step, {.status = e.status, .reason = e.reason + " (but for 0 s)"}, c);
        return;
    }
    if (!binding.has_moved) {
        record.old_contact.clear();
    }
    record.failures = 0;
    record.last_status = 0;
    record.last_reason.clear();
    record.standing = Standing::registered;
    binding.state = State::registered;
    const std::int64_t now_ms = c.now.boot_ms();
    binding.up_ms = binding.up_ms == 0 ? now_ms : binding.up_ms;
    std::int64_t next_ms = now_ms + refresh_in_ms(e, record.granted_s, c.draw.dice);
    if (binding.has_moved) {
        const std::int64_t apart_ms = binding.moved_ms == 0 ? 0 : binding.moved_ms + moves_apart_ms;
        next_ms = std::min(next_ms, std::max(now_ms + refresh_least_ms, apart_ms));
        binding.has_moved = false;
        binding.moved_ms = now_ms;
    }
    set_next(record, next_ms, c.now);
    persist(step);
    wait_until(step, next_ms);
    tell(step, binding.is_told ? News::refreshed : News::registered);
}

} // namespace revenant::account
