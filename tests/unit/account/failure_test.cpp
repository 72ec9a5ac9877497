// What becomes of a registration that is refused, or that nobody answers.
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

std::int64_t wait_ms(const Binding& binding, base::Now now = sample_now) {
    return binding.record.next_boot_ms - now.boot_ms();
}

Binding answered(const Binding& binding, const Event& e, std::uint32_t dice = 0) {
    return after(binding, e, sample_now, dice);
}

} // namespace

TEST_CASE("failures are waited for longer and longer, up to half an hour, for ever") {
    for (const std::uint32_t dice : {0U, 500U}) { // the least and the most
        Binding binding = sample_binding(State::registering);
        base::Now now = sample_now;
        const std::int64_t part = dice == 0 ? 2 : 1;
        for (int failure = 1; failure <= 50; ++failure) {
            binding = after(binding, no_answer(binding), now, dice);
            REQUIRE(binding.state == State::waiting);
            const std::int64_t upper_ms =
                failure < 6 ? 30'000 * (std::int64_t{1} << failure) : 1'800'000;
            CHECK(wait_ms(binding, now) == upper_ms / part);
            now = later(wait_ms(binding, now), now);
            binding = after(binding, event::Due{}, now);
            REQUIRE(binding.state == State::registering);
        }
    }
}

TEST_CASE("Retry-After is waited for, spread a little, and an hour at most") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 503);
    e.retry_after_s = 300;
    CHECK(wait_ms(answered(registering, e)) == 300'000);
    CHECK(wait_ms(answered(registering, e, 100)) == 330'000);
    e.retry_after_s = 0xFFFFFFFF;
    CHECK(wait_ms(answered(registering, e)) == 3'600'000);
    e.retry_after_s = 1; // sooner than we would
    CHECK(wait_ms(answered(registering, e)) == 30'000);
}

TEST_CASE("a refresh that fails is tried again before the binding ends, unless told when") {
    const Binding registering = sample_binding(State::registering);
    const Binding registered = after(registering, granted(registering, 60));
    const base::Now due = later(40'000);
    Binding binding = after(registered, event::Due{}, due);
    binding = after(binding, answer(binding, 503), due);
    CHECK(binding.state == State::waiting);
    CHECK(binding.record.standing == Standing::registered);
    CHECK(wait_ms(binding, due) == 10'000);
    binding = after(binding, event::Due{}, later(50'000));
    CHECK(binding.state == State::refreshing);
    CHECK(after(binding, granted(binding, 60), later(50'000)).record.failures == 0);

    Binding told = after(registered, event::Due{}, due);
    event::Answered e = answer(told, 503);
    e.retry_after_s = 300;
    told = after(told, e, due);
    CHECK(wait_ms(told, due) == 300'000);
    // Its end is told when it comes, and what is left is to wait.
    CHECK(told.due_ms == told.record.expires_boot_ms);
    const Step end = step(told, event::Due{}, later(60'000), sample_draw());
    CHECK(all_of<effect::Tell>(end).at(0).news == News::lost);
    CHECK(all_of<effect::Send>(end).empty());
    CHECK(end.binding.record.standing == Standing::trying);
    CHECK(end.binding.due_ms == told.record.next_boot_ms);
}

TEST_CASE("some answers are final: nothing is sent until the user asks for it") {
    for (const int status : {403, 404, 405, 410, 416, 420, 501, 505, 603, 604, 606, 699}) {
        INFO(status);
        const Binding registering = sample_binding(State::registering);
        const Step result =
            step(registering, answer(registering, static_cast<std::uint16_t>(status)), sample_now,
                 sample_draw());
        CHECK(result.binding.state == State::refused);
        CHECK(result.binding.record.standing == Standing::refused);
        CHECK(result.binding.record.last_status == status);
        CHECK(all_of<effect::WaitForNothing>(result).size() == 1);
        CHECK(all_of<effect::Tell>(result).at(0).news == News::refused);
        CHECK(after(result.binding, event::Register{}, later(5000)).state == State::registering);
    }
}

TEST_CASE("others pass by themselves, and so does a final one that says when") {
    const Binding registering = sample_binding(State::registering);
    for (const int status : {300, 305, 400, 406, 408, 480, 486, 488, 500, 502, 503, 504, 513}) {
        INFO(status);
        CHECK(
            answered(registering, answer(registering, static_cast<std::uint16_t>(status))).state ==
            State::waiting);
    }
    for (const int status : {404, 600, 603}) {
        event::Answered e = answer(registering, static_cast<std::uint16_t>(status));
        e.retry_after_s = 60;
        CHECK(answered(registering, e).state == State::waiting);
    }
    event::Answered nobody = answer(registering, 403); // of our own stack, about a certificate
    nobody.is_local = true;
    CHECK(answered(registering, nobody).state == State::waiting);
}

TEST_CASE("an interval that is too brief is asked for as long as it has to be, if that is sane") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 423);
    for (const std::uint32_t absurd : {0U, 60U, 3600U, 604'801U, 0xFFFFFFFFU}) {
        e.min_expires_s = absurd;
        CHECK(answered(registering, e).state == State::waiting);
    }
    e.min_expires_s = 7200;
    const Step longer = step(registering, e, sample_now, sample_draw());
    CHECK(all_of<effect::Send>(longer).at(0).expires_s == 7200);
    CHECK(longer.binding.record.asked_s == 7200); // from now on
    // One that raises it each time comes to the end of our patience.
    Binding binding = longer.binding;
    for (std::uint32_t i = 1; binding.is_open && i < 100; ++i) {
        e.cseq = binding.record.cseq;
        e.min_expires_s = binding.record.asked_s + 1;
        binding = answered(binding, e);
    }
    CHECK(binding.state == State::waiting);
    CHECK(binding.record.cseq == budget);
}

TEST_CASE("a redirection is followed once, to another place, without its user") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 302);
    e.moved_to = "sip:bob@Other.example.org:5070;transport=tcp;method=INVITE?subject=x";
    const Binding there = answered(registering, e);
    CHECK(there.state == State::registering);
    CHECK(there.record.registrar == "sip:Other.example.org:5070;transport=tcp");
    CHECK(there.record.home == "sip:example.org");
    e.cseq = there.record.cseq;
    e.moved_to = "sip:third.example.org";
    const Binding again = answered(there, e);
    CHECK(again.state == State::waiting);
    // The next try is at the registrar that the account names.
    CHECK(again.record.registrar == "sip:example.org");
    CHECK(again.record.home.empty());
}

TEST_CASE("a redirection to itself, to nowhere, or out of TLS is a failure") {
    Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 301);
    for (const char* target :
         {"", "sip:example.org", "SIP:alice@EXAMPLE.org;x=y", "tel:+123", "sip:", "sip:;lr",
          "http://example.net", "sip:a b", "sip:a\r\nVia: x", "sip:a>,<sip:b"}) {
        INFO(target);
        e.moved_to = target;
        CHECK(answered(registering, e).state == State::waiting);
    }
    e.moved_to = "sip:other.example.org";
    registering.record.transport = call::Transport::tls;
    CHECK(answered(registering, e).state == State::waiting);
    e.moved_to = "sips:other.example.org";
    CHECK(answered(registering, e).state == State::registering);
}

TEST_CASE("a first hop without outbound is asked once more without it") {
    Binding registering = sample_binding(State::registering);
    CHECK(answered(registering, answer(registering, 439)).state == State::waiting);
    registering.record.reg_id = 1;
    const Binding without = answered(registering, answer(registering, 439));
    CHECK(without.state == State::registering);
    CHECK(without.record.reg_id == 0);
}

TEST_CASE("a CSeq that the registrar refuses after a restart is left behind with its Call-ID") {
    for (const std::uint16_t status : {std::uint16_t{400}, std::uint16_t{500}}) {
        Binding restored = revive(sample_binding(State::registered).record);
        restored = after(restored, event::Restore{.has_flow = false, .settings_id = "s1"});
        REQUIRE(restored.state == State::refreshing);
        const Binding anew = answered(restored, answer(restored, status));
        CHECK(anew.state == State::refreshing);
        CHECK(anew.record.call_id == "drawn-call-id");
        CHECK(anew.record.from_tag == "drawn-tag");
        CHECK(anew.record.cseq == 1);
        // Once: it may have been something else.
        const Binding no_more = answered(anew, answer(anew, status));
        CHECK(no_more.state == State::waiting);
        CHECK(no_more.record.call_id == "drawn-call-id");
    }
    const Binding first_life = sample_binding(State::refreshing);
    CHECK(answered(first_life, answer(first_life, 500)).record.call_id == "our-call-id");
}

TEST_CASE("what cannot be stored is not said, and tried again later") {
    const Step result =
        step(sample_binding(State::registering), event::StoreFailed{}, sample_now, sample_draw());
    CHECK(result.binding.state == State::waiting);
    CHECK(all_of<effect::Send>(result).empty());
    CHECK(all_of<effect::Persist>(result).empty());
    CHECK(all_of<effect::Tell>(result).at(0).news == News::trouble);
    const Step again = step(result.binding, event::Due{}, later(60'000), sample_draw());
    CHECK(all_of<effect::Send>(again).size() == 1);
}

TEST_CASE("numbers and counts that are at their end begin anew") {
    Binding binding = sample_binding(State::registered);
    binding.record.cseq = 0x7FFFFFFF;
    binding.record.challenges = {challenge("n1")};
    binding.record.challenges.at(0).nonce_count = 0xFFFFFFFF;
    const Step result = step(binding, event::Register{}, sample_now, sample_draw());
    CHECK(result.binding.record.cseq == 1);
    CHECK(result.binding.record.call_id == "drawn-call-id");
    CHECK(all_of<effect::Send>(result).at(0).answers.empty());
}

TEST_CASE("what others say of their reasons is made harmless and short") {
    const Binding registering = sample_binding(State::registering);
    event::Answered e = answer(registering, 503);
    e.reason = "\x1b[2J" + std::string(5000, 'x');
    const std::string kept = answered(registering, e).record.last_reason;
    CHECK(kept.size() == 200);
    CHECK(kept.starts_with("?[2J"));
}

} // namespace revenant::account
