// A call that is taken from event to event, and what a peer may say in it.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

namespace revenant::call {

struct Story {
    Call call;
    std::vector<Effect> effects; // of the last step
    base::Status status;
    base::Now now = sample_now;

    Story& on(const Event& event) {
        Step result = step(call, event, now);
        INFO(name(call.state), " ", name(event));
        CHECK(check(result.call) == "");
        call = std::move(result.call);
        effects = std::move(result.effects);
        status = result.status;
        return *this;
    }

    // As the runner does when the record cannot be stored.
    Story& on_with_full_disk(const Event& event) {
        const Call before = call;
        on(event);
        const auto* persist = first<effect::Persist>(effects);
        REQUIRE(persist != nullptr);
        CHECK((std::holds_alternative<effect::Persist>(effects.front()) ||
               std::holds_alternative<effect::StopRetryTimer>(effects.front())));
        if (persist->otherwise == effect::Otherwise::go_on) {
            return *this;
        }
        call = before;
        effects.clear();
        if (persist->otherwise == effect::Otherwise::report) {
            on(event::StoreFailed{.why = "disk full"});
        }
        return *this;
    }

    void wait_ms(std::int64_t ms) {
        now.boot_ns += ms * 1'000'000;
        now.real_ns += ms * 1'000'000;
    }
};

inline Story in(State state) {
    return {.call = sample_call(state), .effects = {}, .status = {}};
}

inline event::Answered ok(std::uint32_t cseq, Direction direction = Direction::sendrecv) {
    return {.cseq = cseq, .facts = peer_facts(), .answer = peer_session(direction)};
}

inline event::Failed refusal(std::uint16_t status, std::uint32_t cseq = 5002) {
    return {.status = status, .reason = "no", .cseq = cseq};
}

inline Story revived(const Call& call) {
    return {.call = revive(call.dialog, 2, our_codecs()), .effects = {}, .status = {}};
}

} // namespace revenant::call
