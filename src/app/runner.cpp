#include "app/runner.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// What `get` finds in the event; nothing where the event has no such thing.
template <typename Get>
std::shared_ptr<const void> find_in(const call::Event& event, Get get) {
    return std::visit(
        [&](const auto& e) -> std::shared_ptr<const void> {
            if constexpr (std::is_invocable_v<Get, decltype(e)>) {
                return get(e);
            } else {
                return {};
            }
        },
        event);
}

constexpr auto request_in = [](const auto& e) requires requires {
    e.request;
}
{ return e.request; };
constexpr auto held_in = [](const auto& e) requires requires {
    e.held;
}
{ return e.held; };

// What is said to it says to which it is said.
void address_to_it(std::vector<call::Effect>& effects, const call::RequestRef& request) {
    for (call::Effect& effect : effects) {
        std::visit(
            [&](auto& e) {
                if constexpr (requires { e.request; }) {
                    e.request = request;
                }
            },
            effect);
    }
}

call::effect::Otherwise otherwise_of(const call::Effect& effect) {
    const auto* persist = std::get_if<call::effect::Persist>(&effect);
    return persist != nullptr ? persist->otherwise : call::effect::Otherwise::go_on;
}

// How many events of a call may wait before requests of the peer's that bring nothing to an end are
// refused.
constexpr std::size_t waiting_max = 16;
// When a store is behind.
constexpr std::int64_t oldest_max_ms = 1000;
constexpr std::size_t under_way_max = 4000;

bool is_write(const call::Effect& effect) {
    return std::holds_alternative<call::effect::Persist>(effect) ||
           std::holds_alternative<call::effect::Forget>(effect);
}

} // namespace

Runner::Runner(std::map<call::Number, call::Call>& calls, journal::Store& store, Hooks hooks)
    : calls_{&calls}, store_{&store}, hooks_{std::move(hooks)} {}

Runner::~Runner() = default;

bool Runner::is_idle(call::Number number) const {
    const auto found = runs_.find(number);
    return found == runs_.end() || (found->second.at == At::idle && found->second.waiting.empty());
}

bool Runner::is_idle() const {
    return std::ranges::all_of(runs_, [](const auto& one) {
        return one.second.at == At::idle && one.second.waiting.empty();
    });
}

bool Runner::is_behind() const {
    return !under_way_.empty() &&
           (under_way_.size() >= under_way_max ||
            hooks_.clock().boot_ms() - under_way_.begin()->second > oldest_max_ms);
}

void Runner::arrive(call::Number number, const call::Event& event, Done done) {
    Run& run = runs_[number];
    if (run.at != At::idle || !run.waiting.empty()) {
        if (!refuse(number, run, event)) {
            run.waiting.push_back({event, std::move(done)});
        }
        return;
    }
    begin(number, run, event, std::move(done));
    drain(number);
}

// RFC 3261 §14.2: who asks again meanwhile is told to come later.
bool Runner::refuse(call::Number number, const Run& run, const call::Event& event) {
    if (run.waiting.size() < waiting_max ||
        !(std::holds_alternative<call::event::Offered>(event) ||
          std::holds_alternative<call::event::PeerInfo>(event))) {
        return false;
    }
    hooks_.perform(calls_->at(number), call::effect::Reply{.status = 500,
                                                           .with_sdp = false,
                                                           .request = find_in(event, request_in)});
    return true;
}

// An offer of ours while one of the peer's, or its BYE, waits: the stack would refuse to send it
// (RFC 3261 §14.1), and say so behind the one that waits.
bool Runner::crosses(const Run& run, const call::Effect& effect) {
    return std::holds_alternative<call::effect::Reoffer>(effect) &&
           std::ranges::any_of(run.waiting, [](const Waiting& one) {
               return std::holds_alternative<call::event::Offered>(one.event) ||
                      std::holds_alternative<call::event::PeerBye>(one.event);
           });
}

// A loop: a store that answers at once costs no recursion, and no turn of the main loop.
void Runner::drain(call::Number number) {
    auto found = runs_.find(number);
    while (found != runs_.end() && found->second.at == At::idle && !found->second.waiting.empty()) {
        Waiting next = std::move(found->second.waiting.front());
        found->second.waiting.pop_front();
        if (!calls_->contains(number)) {
            return;
        }
        begin(number, found->second, next.event, std::move(next.done));
        found = runs_.find(number); // what was told of it may have ended the call
    }
}

void Runner::begin(call::Number number, Run& run, const call::Event& event, Done done) {
    const call::Call& before = calls_->at(number);
    const base::InHand hand{number};
    base::pass_step("on-", call::name(event), number);
    call::Step step = call::step(before, event, hooks_.clock());
    if (base::log_enabled(base::Level::debug)) {
        base::log(base::Level::debug,
                  fmt::format("call {}: {} --{}--> {}", number, name(before.state),
                              call::name(event), name(step.call.state)));
    }
    if (const std::string broken = call::check(step.call); !broken.empty()) {
        base::die(fmt::format("call {}: {} --{}--> {}: {}", number, name(before.state),
                              call::name(event), name(step.call.state), broken));
    }
    run.at = At::running;
    run.next = std::move(step.call);
    run.effects = std::move(step.effects);
    run.effect = 0;
    run.status = std::move(step.status);
    run.done = std::move(done);
    run.request = find_in(event, request_in);
    run.held = find_in(event, held_in);
    address_to_it(run.effects, run.request);
    go_on(number, run);
}

void Runner::go_on(call::Number number, Run& run) {
    const base::InHand hand{number};
    while (run.effect < run.effects.size()) {
        const call::Effect& effect = run.effects[run.effect];
        base::pass(base::KillPoint::before_effect);
        base::pass_step("before-", call::name(effect), number);
        if (is_write(effect)) {
            store(number, run, effect);
            if (!run.stored) {
                return; // `stored` goes on from here
            }
            if (!accepts(number, run, *std::exchange(run.stored, std::nullopt))) {
                return;
            }
        } else if (crosses(run, effect)) {
            run.waiting.push_front(
                {call::event::Failed{.status = 491, .reason = "Request Pending", .is_local = true},
                 {}});
        } else {
            hooks_.perform(run.next, effect);
        }
        base::pass(base::KillPoint::after_effect);
        base::pass_step("after-", call::name(effect), number);
        ++run.effect;
    }
    finish(number, run);
}

void Runner::store(call::Number number, Run& run, const call::Effect& effect) {
    run.at = At::storing;
    run.ticket = ++last_ticket_;
    const auto answered = [this, number, ticket = run.ticket,
                           alive = std::weak_ptr{alive_}](const base::Status& status) {
        if (!alive.expired()) {
            under_way_.erase(ticket);
            stored(number, ticket, status);
        }
    };
    run.is_asking = true;
    if (std::holds_alternative<call::effect::Persist>(effect)) {
        hooks_.before_save(run.next);
        store_->save(run.next.dialog, answered);
    } else {
        store_->remove(number, answered);
    }
    run.is_asking = false;
    if (!run.stored) {
        under_way_.emplace(run.ticket, hooks_.clock().boot_ms());
        // SAFETY: the timer is the Run's, and the Run is a member's.
        run.deadline = hooks_.after(
            write_deadline_ms, [this, number, ticket = run.ticket] { is_late(number, ticket); });
    }
}

// What a write of unknown outcome may have left is put right behind it.
void Runner::put_right(call::Number number) {
    const call::Call& call = calls_->at(number);
    const auto answered = [number](const base::Status& status) {
        if (!status) {
            shell::print({.event = "error",
                          .call = number,
                          .tone = shell::Tone::bad,
                          .text = fmt::format("call {}: its record may not be right: {}", number,
                                              status.error().context),
                          .fields = {}});
        }
    };
    if (call.state == call::State::idle || call.state == call::State::over) {
        hooks_.unsure(number);
        store_->remove(number, answered);
    } else {
        store_->save(call.dialog, answered);
    }
}

void Runner::is_late(call::Number number, std::uint64_t ticket) {
    const auto found = runs_.find(number);
    if (found == runs_.end() || found->second.at != At::storing || found->second.ticket != ticket) {
        return;
    }
    under_way_.erase(ticket);
    const Run& run = found->second;
    if (otherwise_of(run.effects[run.effect]) != call::effect::Otherwise::go_on) {
        put_right(number);
    }
    stored(number, ticket,
           base::fail(base::Errc::io,
                      fmt::format("the record was not stored within {} s; is the store there?",
                                  write_deadline_ms / 1000)));
}

void Runner::stored(call::Number number, std::uint64_t ticket, const base::Status& status) {
    const auto found = runs_.find(number);
    if (found == runs_.end() || found->second.at != At::storing || found->second.ticket != ticket) {
        return; // of a call that is gone
    }
    Run& run = found->second;
    run.at = At::running;
    run.deadline.reset();
    if (run.is_asking) {
        run.stored = status;
        return;
    }
    if (accepts(number, run, status)) {
        base::pass(base::KillPoint::after_effect);
        base::pass_step("after-", call::name(run.effects[run.effect]), number);
        ++run.effect;
        go_on(number, run);
    }
    drain(number);
}

// False: the step is not to go on; it is as if it had not been made.
bool Runner::accepts(call::Number number, Run& run, const base::Status& status) {
    if (status) {
        return true;
    }
    const call::Effect& effect = run.effects[run.effect];
    const bool is_removal = std::holds_alternative<call::effect::Forget>(effect);
    // The next start tries a call once more whose record is still there, and the peer answers 481.
    shell::print({.event = "error",
                  .call = number,
                  .tone = is_removal ? shell::Tone::attention : shell::Tone::bad,
                  .text = fmt::format("call {}: {}", number, status.error().context),
                  .fields = {}});
    const call::effect::Otherwise otherwise = otherwise_of(effect);
    if (otherwise == call::effect::Otherwise::go_on) {
        return true;
    }
    run.at = At::idle;
    run.effects.clear();
    const Done done = std::exchange(run.done, {});
    call::RequestRef request = std::exchange(run.request, {});
    run.held.reset();
    if (otherwise == call::effect::Otherwise::report) { // before all that waits
        run.waiting.push_front(
            {call::event::StoreFailed{.why = status.error().context, .request = std::move(request)},
             [done, status](const base::Status& /*step*/) {
                 if (done) {
                     done(status);
                 }
             }});
    } else if (done) {
        done(status);
    }
    return false;
}

void Runner::finish(call::Number number, Run& run) {
    run.at = At::idle;
    run.request.reset();
    run.effects.clear(); // they have it, too
    run.held.reset();
    call::Call& call = calls_->at(number);
    const call::Call before = std::exchange(call, std::move(run.next));
    const Done done = std::exchange(run.done, {});
    const base::Status status = run.status;
    // Either may bring other events, to this call as well.
    hooks_.stepped(before, status);
    if (done) {
        done(status);
    }
}

} // namespace revenant::app
