// A Switchboard with fakes on all sides, and the way back to it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_agent.hpp"
#include "unit/fakes/fake_engine.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/main_loop.hpp"
#include "unit/fakes/quiet.hpp"

namespace revenant {

namespace event = call::event;
using call::State;

struct Bench {
    journal::FaultyStore store;
    media::FakeEngine media;
    sip::FakeAgent agent;
    app::Keeping keeping; // nobody there
    app::CallPorts ports{media, keeping};
    app::Switchboard board;
    app::Comeback comeback;

    explicit Bench(const std::function<void(app::Policy&)>& change = {})
        : board{store, media, ports, keeping, policy(change)}, comeback{board, ports} {
        board.connect(agent);
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() = default;

    static app::Policy policy(const std::function<void(app::Policy&)>& change) {
        app::Policy p;
        p.epoch = 2;
        p.codecs = call::our_codecs();
        if (change) {
            change(p);
        }
        return p;
    }

    base::Status apply(call::Number number, const call::Event& e) {
        const Quiet quiet;
        base::Status became = base::fail(base::Errc::not_now, "not answered");
        board.apply(number, e, [&](const base::Status& status) { became = status; });
        return became;
    }

    void on_event(call::Number number, const call::Event& e) {
        const Quiet quiet;
        board.on_event(number, e);
    }

    base::Result<call::Number> dial(std::string_view target = "sip:bob@127.0.0.2") {
        const Quiet quiet;
        base::Result<call::Number> dialled = base::fail(base::Errc::not_now, "not answered");
        board.dial(target, [&](const auto& number) { dialled = number; });
        return dialled;
    }

    std::optional<call::Number> invite(const call::RemoteSession& offer = call::peer_session()) {
        const Quiet quiet;
        const auto number = board.on_invite(call::new_call(call::Role::callee).dialog);
        if (number) {
            board.on_event(*number, event::Invited{.offer = offer});
        }
        return number;
    }

    call::Number establish() {
        const auto number = dial();
        REQUIRE(number);
        on_event(*number, event::Answered{.cseq = 2,
                                          .facts = call::peer_facts(),
                                          .answer = call::peer_session()});
        on_event(*number, event::Ready{});
        REQUIRE(state(*number) == State::established);
        agent.said.clear();
        return *number;
    }

    [[nodiscard]] State state(call::Number number) const {
        const call::Call* found = board.find(number);
        return found != nullptr ? found->state : State::over;
    }

    [[nodiscard]] std::optional<call::Dialog> stored(call::Number number) const {
        const auto& records = store.content().records;
        const auto found = records.find(number);
        if (found == records.end()) {
            return std::nullopt;
        }
        auto dialog = journal::decode(found->second);
        return dialog ? std::optional{*dialog} : std::nullopt;
    }
};

// Established calls, the first with the nearest session deadline.
inline std::vector<call::Dialog> records(std::uint32_t count) {
    std::vector<call::Dialog> all;
    for (std::uint32_t i = 1; i <= count; ++i) {
        call::Dialog d = call::sample_call(State::established).dialog;
        d.number = i;
        d.call_id = fmt::format("call-{}", i);
        d.timer.deadline_ms = i;
        d.media.local.port = static_cast<std::uint16_t>(20000 + 2 * i);
        all.push_back(d);
    }
    return all;
}

// The ledger may wait for the media's word on the gap.
inline std::size_t counted(const Bench& b, call::Verdict verdict) {
    static_cast<void>(run_until([&] { return b.board.ledger().count(verdict) > 0; }, 2000));
    return b.board.ledger().count(verdict);
}

} // namespace revenant
