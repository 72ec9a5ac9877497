// Credentials: what is answered, counted, and not tried again.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

std::vector<Challenge> answers(const Step& step) {
    const auto sent = all_of<effect::Send>(step);
    return sent.empty() ? std::vector<Challenge>{} : sent.at(0).answers;
}

Step then(const Binding& binding, const Event& event, std::int64_t after_ms = 0) {
    return step(binding, event, later(after_ms), sample_draw());
}

} // namespace

TEST_CASE("a challenge is answered, kept, and answered from the beginning with the next request") {
    const Binding registering = sample_binding(State::registering);
    const Step second = then(registering, challenged(registering, "n1"));
    REQUIRE(answers(second).size() == 1);
    CHECK(answers(second).at(0).nonce == "n1");
    CHECK(answers(second).at(0).nonce_count == 1);
    CHECK(second.binding.record.challenges == answers(second));
    const Binding registered = after(second.binding, granted(second.binding, 3600));
    const Step refresh = then(registered, event::Due{}, 1'800'000);
    CHECK(answers(refresh).at(0).nonce_count == 2);
}

TEST_CASE("the count begins anew with each nonce, stale or not, and goes on with the same one") {
    const Binding registering = sample_binding(State::registering);
    const Binding first = after(registering, challenged(registering, "n1"));
    const Step stale = then(first, challenged(first, "n2", true));
    CHECK(answers(stale).at(0).nonce == "n2");
    CHECK(answers(stale).at(0).nonce_count == 1);
    const Step same = then(stale.binding, challenged(stale.binding, "n2", true));
    CHECK(answers(same).at(0).nonce_count == 2);
}

TEST_CASE("another nonce without stale is one more chance, and no third") {
    const Binding registering = sample_binding(State::registering);
    const Binding first = after(registering, challenged(registering, "n1"));
    const Step second = then(first, challenged(first, "n2"));
    CHECK(answers(second).at(0).nonce_count == 1);
    const Step third = then(second.binding, challenged(second.binding, "n3"));
    CHECK(third.binding.state == State::refused);
    CHECK(all_of<effect::Send>(third).empty());
    CHECK(all_of<effect::Tell>(third).at(0).detail ==
          "it does not take user and password for realm \"example.org\"; give others with `key`, "
          "or in the configuration of the account");
}

TEST_CASE("the same nonce without stale is a wrong password at once") {
    const Binding registering = sample_binding(State::registering);
    const Binding first = after(registering, challenged(registering, "n1"));
    CHECK(after(first, challenged(first, "n1")).state == State::refused);
}

TEST_CASE("a registrar whose nonces are always stale is left alone for a while") {
    Binding binding = sample_binding(State::registering);
    int requests = 1;
    while (binding.is_open && requests < 100) {
        binding = after(binding, challenged(binding, "n" + std::to_string(requests), true));
        requests += binding.is_open ? 1 : 0;
    }
    CHECK(requests == budget);
    CHECK(binding.state == State::waiting);
    CHECK(binding.due_ms - sample_now.boot_ms() >= 30'000);
}

TEST_CASE("a proxy and the registrar both get their credentials, in one request") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 407);
    e.challenges = {{.challenge = challenge("p1", "proxy", true), .has_credentials = true}};
    const Binding first = after(registering, e);
    const Step second = then(first, challenged(first, "n1"));
    REQUIRE(answers(second).size() == 2);
    CHECK(answers(second).at(0) == second.binding.record.challenges.at(0));
    CHECK(answers(second).at(0).is_proxys);
    CHECK(answers(second).at(0).nonce_count == 2);
    CHECK(answers(second).at(1).nonce_count == 1);
    // Both nonces are old an hour later, and neither says so.
    const Binding registered = after(second.binding, granted(second.binding, 3600));
    Binding refreshing = after(registered, event::Due{}, later(1'800'000));
    e.cseq = refreshing.record.cseq;
    e.challenges.at(0).challenge.nonce = "p2";
    refreshing = after(refreshing, e, later(1'800'000));
    refreshing = after(refreshing, challenged(refreshing, "n2"), later(1'800'000));
    CHECK(refreshing.state == State::refreshing);
    CHECK(after(refreshing, granted(refreshing, 3600)).state == State::registered);
}

TEST_CASE("of two challenges the one that there are credentials for is answered") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = challenged(registering, "n1");
    e.challenges.insert(e.challenges.begin(), {.challenge = challenge("x1", "elsewhere")});
    const Step second = then(registering, e);
    REQUIRE(answers(second).size() == 1);
    CHECK(answers(second).at(0).realm == "example.org");
    // If that is not enough, it is the other one's that are missing.
    e.cseq = second.binding.record.cseq;
    const Step third = then(second.binding, e);
    CHECK(third.binding.state == State::refused);
    CHECK(all_of<effect::Tell>(third).at(0).detail.starts_with(
        "no user and password for realm \"elsewhere\""));
}

TEST_CASE("of two algorithms for one realm the first is taken") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = challenged(registering, "n1");
    e.challenges.push_back(e.challenges.front());
    e.challenges.front().challenge.algorithm = "SHA-256";
    const Step second = then(registering, e);
    REQUIRE(answers(second).size() == 1);
    CHECK(answers(second).at(0).algorithm == "SHA-256");
}

TEST_CASE("who has no password is told, and tried again when it is given") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = challenged(registering, "n1");
    e.challenges.at(0).has_credentials = false;
    const Step told = then(registering, e);
    CHECK(told.binding.state == State::refused);
    CHECK(told.binding.record.standing == Standing::refused);
    CHECK(after(told.binding, event::Due{}, later(9'000'000)).state == State::refused);
    const Binding keyed = after(told.binding, event::Keyed{}, later(5000));
    CHECK(keyed.state == State::registering);
    CHECK(after(sample_binding(State::refused), event::Keyed{}).state == State::registering);
}

TEST_CASE("a challenge that nobody could answer is no reason to ask again and again") {
    const Binding registering = sample_binding(State::registering);
    const Step told = then(registering, answer(registering, 401));
    CHECK(told.binding.state == State::refused);
    CHECK(all_of<effect::Tell>(told).at(0).detail ==
          "it asks who we are in a way that this phone does not know");
}

TEST_CASE("a password that comes while the old one is being refused is tried") {
    const Binding registering = sample_binding(State::registering);
    const Binding first = after(registering, challenged(registering, "n1"));
    const Binding keyed = after(first, event::Keyed{});
    CHECK(after(keyed, challenged(keyed, "n1")).state == State::registering);
}

TEST_CASE("no more challenges are kept than a record has room for") {
    Binding binding = sample_binding(State::registering);
    for (int i = 0; i < 40; ++i) {
        event::Answered e = challenged(binding, "n1");
        e.challenges.at(0).challenge.realm = "realm" + std::to_string(i);
        binding = after(binding, e, later(i * 60'000));
        binding = after(binding, granted(binding, 3600), later(i * 60'000));
        binding = after(binding, event::Register{}, later(i * 60'000 + 30'000));
    }
    CHECK(binding.record.challenges.size() == 8);
    CHECK(binding.record.challenges.back().realm == "realm39");
}

} // namespace revenant::account
