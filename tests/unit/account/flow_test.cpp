// Connections that end, and addresses that change.
#include <cstdint>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

event::Moved moved_to(int port) {
    return {.local = {.address = "192.0.2.8", .port = 5060},
            .contact = fmt::format("sip:alice@192.0.2.8:{}", port)};
}

} // namespace

TEST_CASE("a connection that is lost is registered over again at once") {
    const Step again =
        step(sample_binding(State::registered), event::FlowLost{}, sample_now, sample_draw());
    CHECK(again.binding.state == State::refreshing);
    CHECK(all_of<effect::Send>(again).size() == 1);
}

TEST_CASE("a registrar that closes after each answer makes no storm") {
    Binding binding = sample_binding(State::registered);
    base::Now now = sample_now;
    int sent = 0;
    while (now.boot_ms() < sample_now.boot_ms() + 600'000) {
        binding = after(binding, event::FlowLost{}, now);
        if (binding.state == State::waiting) {
            now = later(binding.due_ms - now.boot_ms(), now);
            binding = after(binding, event::Due{}, now);
        }
        REQUIRE(binding.is_open);
        ++sent;
        binding = after(binding, granted(binding, 3600), now);
    }
    CHECK(sent <= 6);
    // One that has held for two minutes is forgiven.
    binding = after(binding, event::FlowLost{}, later(120'000, now));
    CHECK(binding.state == State::refreshing);
}

TEST_CASE("a request whose connection breaks is said once more over another one") {
    const Binding broken = after(sample_binding(State::registering), event::FlowLost{});
    CHECK(broken.state == State::registering);
    const Binding again = after(broken, no_answer(broken));
    CHECK(again.state == State::registering);
    CHECK(again.record.cseq == broken.record.cseq + 1);
    const Binding broken_again = after(again, event::FlowLost{});
    CHECK(after(broken_again, no_answer(broken_again)).state == State::waiting);
}

TEST_CASE("another address of ours is registered at once, and the one before removed with it") {
    const Binding registered = sample_binding(State::registered);
    const Step moved = step(registered, moved_to(5060), sample_now, sample_draw());
    CHECK(moved.binding.state == State::refreshing);
    CHECK(moved.binding.record.contact == "sip:alice@192.0.2.8:5060");
    CHECK(moved.binding.record.old_contact == registered.record.contact);
    CHECK(moved.binding.record.local.address == "192.0.2.8");
    CHECK(all_of<effect::Tell>(moved).at(0).news == News::moved);
    const Binding there = after(moved.binding, granted(moved.binding, 3600));
    CHECK(there.record.old_contact.empty());
    // The same once more is none.
    CHECK(step(there, moved_to(5060), sample_now, sample_draw()).effects.empty());
}

TEST_CASE("an address that changes with each answer makes no loop") {
    Binding binding = sample_binding(State::registered);
    base::Now now = sample_now;
    int sent = 0;
    int port = 6000;
    while (now.boot_ms() < sample_now.boot_ms() + 600'000) {
        binding = after(binding, moved_to(++port), now);
        if (!binding.is_open) {
            now = later(binding.due_ms - now.boot_ms(), now);
            binding = after(binding, event::Due{}, now);
        }
        REQUIRE(binding.is_open);
        ++sent;
        binding = after(binding, granted(binding, 3600), now);
    }
    CHECK(sent <= 21);
}

TEST_CASE("an address that changes under a request is registered behind it") {
    const Binding refreshing = sample_binding(State::refreshing);
    const Binding moved = after(refreshing, moved_to(5060));
    CHECK(moved.state == State::refreshing);
    const Binding registered = after(moved, granted(moved, 3600));
    CHECK(registered.state == State::registered);
    CHECK(registered.due_ms <= sample_now.boot_ms() + 1000);
    CHECK(registered.record.old_contact == refreshing.record.contact);
    const Step again = step(registered, event::Due{}, later(1000), sample_draw());
    const Binding there = after(again.binding, granted(again.binding, 3600), later(1000));
    CHECK(there.record.old_contact.empty());
    CHECK(there.due_ms > sample_now.boot_ms() + 1'000'000);
}

TEST_CASE("who could reach nobody tries again from another address") {
    const Binding registering = sample_binding(State::registering);
    const Binding waiting = after(registering, no_answer(registering));
    const Binding moved = after(waiting, moved_to(5060));
    CHECK(moved.due_ms == sample_now.boot_ms() + 1);
    CHECK(after(moved, event::Due{}, later(1)).state == State::registering);
    // Who has been told to wait waits.
    const Binding told = after(registering, answer(registering, 480));
    CHECK(after(told, moved_to(5060)).due_ms == told.due_ms);
}

TEST_CASE("a user who asks again and again is no storm either") {
    Binding binding = sample_binding(State::registered);
    int sent = 0;
    for (std::int64_t ms = 0; ms < 1000; ms += 5) {
        binding = after(binding, event::Register{}, later(ms));
        if (binding.is_open) {
            ++sent;
            binding = after(binding, granted(binding, 3600), later(ms));
        }
    }
    CHECK(sent == budget);
}

TEST_CASE("an instant that is early is waited for, and one of no state means nothing") {
    const Binding registered = sample_binding(State::registered);
    const Step early = step(registered, event::Due{}, sample_now, sample_draw());
    CHECK(early.binding.state == State::registered);
    CHECK(all_of<effect::WaitUntil>(early).at(0).boot_ms == registered.due_ms);
    CHECK(
        step(sample_binding(State::off), event::Due{}, sample_now, sample_draw()).effects.empty());
}

} // namespace revenant::account
