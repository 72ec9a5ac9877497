// When a binding is asked for again, whatever time the registrar gives.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

// How long the machine waits after it was given `expires_s`.
std::int64_t refresh_in_ms(std::uint32_t expires_s, std::uint32_t dice) {
    const Binding registering = sample_binding(State::registering);
    const Step result =
        step(registering, granted(registering, expires_s), sample_now, sample_draw(dice));
    REQUIRE(result.binding.state == State::registered);
    return all_of<effect::WaitUntil>(result).at(0).boot_ms - sample_now.boot_ms();
}

} // namespace

TEST_CASE("a binding is refreshed between half and three quarters of its time, as the dice fall") {
    std::vector<std::int64_t> waits;
    for (std::uint32_t dice = 0; dice < 1000; ++dice) {
        waits.push_back(refresh_in_ms(3600, dice));
    }
    CHECK(std::ranges::min(waits) == 1'800'000);
    CHECK(std::ranges::max(waits) == 2'700'000);
}

TEST_CASE("a short time is refreshed at its half, and never sooner than after a second") {
    CHECK(refresh_in_ms(20, 999) == 10'000);
    CHECK(refresh_in_ms(2, 999) == 1000);
    CHECK(refresh_in_ms(1, 999) == 1000);
}

TEST_CASE("a time without end is refreshed within a day") {
    for (const std::uint32_t expires_s : {200'000U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        CHECK(refresh_in_ms(expires_s, 250) == 86'400'000);
        CHECK(refresh_in_ms(expires_s, 0) == 57'600'000);
    }
}

TEST_CASE("what is asked for is what the user wants, however little was given the last time") {
    const Binding registering = sample_binding(State::registering);
    const Binding registered = after(registering, granted(registering, 60));
    const Step refresh = step(registered, event::Due{}, later(45'000), sample_draw());
    CHECK(all_of<effect::Send>(refresh).at(0).expires_s == 3600);
    CHECK(refresh.binding.record.granted_s == 60);
}

TEST_CASE("a registrar that does not list us has us, and is asked again within five minutes") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 200);
    e.grant = Grant{};
    const Binding registered = after(registering, e, sample_now, 1000);
    CHECK(registered.state == State::registered);
    CHECK(registered.record.granted_s == 3600);
    CHECK(registered.due_ms - sample_now.boot_ms() <= 300'000);
    CHECK(registered.due_ms - sample_now.boot_ms() >= 200'000);
}

TEST_CASE("no time at all is no binding, and not asked for at once") {
    const Binding registering = sample_binding(State::registering);
    const Step result = step(registering, granted(registering, 0), sample_now, sample_draw());
    CHECK(result.binding.state == State::waiting);
    CHECK(all_of<effect::Send>(result).empty());
    CHECK(result.binding.due_ms - sample_now.boot_ms() >= 30'000);
}

TEST_CASE("each 2xx replaces the route, the path, the GRUU and our public address") {
    const Binding refreshing = sample_binding(State::refreshing);
    event::Answered e = granted(refreshing, 3600);
    e.remote = {.address = "192.0.2.1", .port = 5060};
    e.grant->service_route = {"<sip:edge.example.org;lr>"};
    e.grant->path = {"<sip:way.example.org;lr>"};
    e.grant->gruu = "sip:alice@example.org;gr=1";
    e.grant->public_address = {.address = "203.0.113.9", .port = 1234};
    const Registration with = after(refreshing, e).record;
    CHECK(with.service_route == e.grant->service_route);
    CHECK(with.path == e.grant->path);
    CHECK(with.gruu == e.grant->gruu);
    CHECK(with.public_address == e.grant->public_address);
    CHECK(with.remote == e.remote);

    Binding again = sample_binding(State::refreshing);
    again.record = with;
    again.record.cseq = refreshing.record.cseq;
    const Registration without = after(again, granted(again, 3600)).record;
    CHECK(without.service_route.empty());
    CHECK(without.path.empty());
    CHECK(without.gruu.empty());
    CHECK(without.public_address.port == 0);
}

TEST_CASE("what a record has no room for is not taken") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = granted(registering, 3600);
    e.grant->service_route.assign(1000, "<sip:edge.example.org;lr>");
    e.grant->path = {"<sip:way.example.org;lr>", std::string(2000, 'x')};
    e.grant->gruu = std::string(2000, 'x');
    const Registration kept = after(registering, e).record;
    CHECK(kept.service_route.size() == 16);
    CHECK(kept.path.empty());
    CHECK(kept.gruu.empty());
    event::Answered asked = challenged(registering, std::string(2000, 'n'));
    CHECK(after(registering, asked).state == State::refused);
    CHECK(after(registering, asked).record.challenges.empty());
}

TEST_CASE("a refresh is quiet, unless the user believes that there is no binding") {
    const auto news = [](const Binding& binding) {
        return all_of<effect::Tell>(
                   step(binding, granted(binding, 3600), sample_now, sample_draw()))
            .at(0)
            .news;
    };
    CHECK(news(sample_binding(State::registering)) == News::registered);
    const Binding refreshing = sample_binding(State::refreshing);
    CHECK(news(refreshing) == News::refreshed);
    const Binding waiting = after(refreshing, answer(refreshing, 503));
    CHECK(news(after(waiting, event::Due{}, later(30'000))) == News::registered);
}

TEST_CASE("who was suspended beyond the end of the binding says so, and registers at once") {
    const Step late =
        step(sample_binding(State::registered), event::Due{}, later(9'000'000), sample_draw());
    CHECK(late.binding.state == State::registering);
    CHECK(all_of<effect::Send>(late).size() == 1);
    CHECK(all_of<effect::Tell>(late).at(0).news == News::lost);
}

TEST_CASE("with a registrar that answers within a second no binding ever lapses") {
    for (const std::uint32_t expires_s : {3U, 10U, 60U, 3600U, 0xFFFFFFFFU}) {
        Binding binding = sample_binding(State::registering);
        base::Now now = sample_now;
        for (std::uint32_t round = 0; round < 200; ++round) {
            now = later(round * 37 % 1000, now); // until the answer
            CHECK((round == 0 || binding.record.expires_boot_ms > now.boot_ms()));
            binding = after(binding, granted(binding, expires_s), now, round * 7919);
            now = later(binding.due_ms - now.boot_ms(), now);
            binding = after(binding, event::Due{}, now);
            REQUIRE(binding.is_open);
        }
    }
}

TEST_CASE("an answer to an earlier request, or one that is none, means nothing") {
    const Binding refreshing = sample_binding(State::refreshing);
    event::Answered e = granted(refreshing, 3600);
    e.cseq -= 1;
    CHECK(after(refreshing, e).state == State::refreshing);
    e.cseq += 2;
    CHECK(after(refreshing, e).state == State::refreshing);
    CHECK(after(refreshing, answer(refreshing, 100)).state == State::refreshing);
    const Binding registered = after(refreshing, granted(refreshing, 3600));
    CHECK(after(registered, answer(registered, 403)).state == State::registered);
}

} // namespace revenant::account
