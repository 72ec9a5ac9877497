// A binding in each of its states, and what its machine is asked with.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::account {

inline constexpr base::Now sample_now{.boot_ns = 5'000'000'000'000,
                                      .real_ns = 1'700'000'000'000'000'000};

inline constexpr std::array all_states{State::off,        State::registering, State::registered,
                                       State::refreshing, State::waiting,     State::refused,
                                       State::leaving};

inline base::Now later(std::int64_t ms, base::Now now = sample_now) {
    return {.boot_ns = now.boot_ns + ms * 1'000'000, .real_ns = now.real_ns + ms * 1'000'000};
}

inline Draw sample_draw(std::uint32_t dice = 0) {
    return {.dice = dice, .call_id = "drawn-call-id", .from_tag = "drawn-tag"};
}

inline Registration new_record() {
    Registration record;
    record.account = "work";
    record.aor = "sip:alice@example.org";
    record.from = "<sip:alice@example.org>";
    record.from_tag = "our-tag";
    record.registrar = "sip:example.org";
    record.call_id = "our-call-id";
    record.contact = "sip:alice@192.0.2.7:5060";
    record.instance_id = "urn:uuid:00000000-0000-4000-8000-000000000000";
    record.local = {.address = "192.0.2.7", .port = 5060};
    record.settings_id = "s1";
    record.boot_id = "boot";
    return record;
}

inline Challenge
challenge(std::string nonce, std::string realm = "example.org", bool is_proxys = false) {
    return {.is_proxys = is_proxys,
            .realm = std::move(realm),
            .nonce = std::move(nonce),
            .qop = "auth"};
}

inline event::Answered answer(const Binding& binding, std::uint16_t status) {
    return {.cseq = binding.record.cseq, .status = status, .reason = "Reason"};
}

inline event::Answered granted(const Binding& binding, std::uint32_t expires_s) {
    event::Answered e = answer(binding, 200);
    e.grant = Grant{.expires_s = expires_s};
    return e;
}

inline event::Answered
challenged(const Binding& binding, std::string nonce, bool is_stale = false) {
    event::Answered e = answer(binding, 401);
    e.challenges = {
        {.challenge = challenge(std::move(nonce)), .is_stale = is_stale, .has_credentials = true}};
    return e;
}

inline event::Answered no_answer(const Binding& binding) {
    event::Answered e = answer(binding, 408);
    e.is_local = true;
    return e;
}

inline Binding after(const Binding& binding,
                     const Event& event,
                     base::Now now = sample_now,
                     std::uint32_t dice = 0) {
    return step(binding, event, now, sample_draw(dice)).binding;
}

inline Binding new_binding() {
    Binding binding;
    binding.record = new_record();
    return binding;
}

// Each has come to be a minute ago, so that none has to rest first.
inline Binding sample_binding(State state) {
    const base::Now then = later(-60'000);
    const Binding off = new_binding();
    const Binding registering = after(off, event::Register{}, then);
    const Binding registered = after(registering, granted(registering, 3600), then);
    switch (state) {
    case State::off: return off;
    case State::registering: return registering;
    case State::registered: return registered;
    case State::refreshing: return after(registered, event::Register{}, later(1000, then));
    case State::waiting: return after(registering, answer(registering, 503), then);
    case State::refused: return after(registering, answer(registering, 403), then);
    case State::leaving: return after(registered, event::Unregister{}, later(1000, then));
    }
    return off;
}

template <typename E>
std::vector<E> all_of(const Step& step) {
    std::vector<E> found;
    for (const Effect& effect : step.effects) {
        if (const auto* one = std::get_if<E>(&effect)) {
            found.push_back(*one);
        }
    }
    return found;
}

} // namespace revenant::account
