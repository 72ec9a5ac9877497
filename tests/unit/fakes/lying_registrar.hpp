// A registrar that answers whatever comes to its mind, by the numbers of a seed.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "revenant/account/event.hpp"
#include "revenant/account/machine.hpp"

namespace revenant::account {

class LyingRegistrar {
public:
    explicit LyingRegistrar(std::uint32_t seed) : dice_{seed}, mood_{seed % 7} {}

    [[nodiscard]] std::uint32_t roll(std::uint32_t sides) {
        return static_cast<std::uint32_t>(dice_() % sides);
    }

    [[nodiscard]] event::Answered answer(const Binding& binding) {
        event::Answered e;
        e.cseq = binding.record.cseq;
        e.reason = "Reason";
        // Each has something that it does more often than all the rest.
        const std::uint32_t kind = roll(3) == 0 ? roll(7) : mood_;
        switch (kind) {
        case 0: grant(e); break;
        case 1: challenge(e); break;
        case 2:
            e.status = 423;
            e.min_expires_s = pick(0, 60, binding.record.asked_s + 1, 0xFFFFFFFFU);
            break;
        case 3:
            e.status = static_cast<std::uint16_t>(roll(2) == 0 ? 302 : 301);
            e.moved_to = "sip:host" + std::to_string(roll(3)) + ".example.net";
            break;
        case 4:
            e.status = static_cast<std::uint16_t>(pick(500, 503, 480, 400));
            e.retry_after_s = pick(0, 0, 300, 0xFFFFFFFFU);
            break;
        case 5:
            e.status = static_cast<std::uint16_t>(pick(408, 503, 408, 503));
            e.is_local = true;
            break;
        default: e.status = static_cast<std::uint16_t>(200 + roll(500)); break;
        }
        if (roll(50) == 0) {
            e.cseq = roll(1000);
        }
        return e;
    }

    [[nodiscard]] event::Answered honest(const Binding& binding) const {
        event::Answered e{.cseq = binding.record.cseq, .status = 200, .reason = "OK"};
        e.grant = Grant{.expires_s = 3600};
        return e;
    }

private:
    void grant(event::Answered& e) {
        e.status = 200;
        e.grant = Grant{.expires_s = {}, .gruu = "sip:gruu@example.org"};
        static constexpr std::array<std::uint32_t, 8> spans{0,  1,    2,      7,
                                                            60, 3600, 86'400, 0xFFFFFFFFU};
        const std::uint32_t which = roll(spans.size() + 1);
        if (which < spans.size()) {
            e.grant->expires_s = spans.at(which);
        }
    }

    void challenge(event::Answered& e) {
        e.status = static_cast<std::uint16_t>(roll(2) == 0 ? 401 : 407);
        const std::uint32_t count = roll(3);
        for (std::uint32_t i = 0; i <= count; ++i) {
            const std::uint32_t realm = roll(3);
            // Often the same, which must not be counted anew.
            std::uint32_t& nonce = nonces_.at(e.status == 407 ? realm + 3 : realm);
            nonce += roll(3) == 0 ? 1U : 0U;
            e.challenges.push_back({.challenge = {.is_proxys = e.status == 407,
                                                  .realm = "realm" + std::to_string(realm),
                                                  .nonce = "nonce" + std::to_string(nonce),
                                                  .qop = "auth"},
                                    .is_stale = roll(3) == 0,
                                    .has_credentials = roll(8) != 0});
        }
    }

    [[nodiscard]] std::uint32_t
    pick(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
        return std::array{a, b, c, d}.at(roll(4));
    }

    std::minstd_rand dice_;
    std::uint32_t mood_;
    std::array<std::uint32_t, 6> nonces_{};
};

} // namespace revenant::account
