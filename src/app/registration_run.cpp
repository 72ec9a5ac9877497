#include "app/registration_run.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

account::Draw draw() {
    return {.dice = base::random_u32(),
            .call_id = base::random_token(24),
            .from_tag = base::random_token(16)};
}

bool is_write(const account::Effect& effect) {
    return std::holds_alternative<account::effect::Persist>(effect) ||
           std::holds_alternative<account::effect::Forget>(effect);
}

} // namespace

RegistrationRun::RegistrationRun(journal::Store& store, Hooks hooks)
    : store_{&store}, hooks_{std::move(hooks)} {}

void RegistrationRun::arrive(account::Event event) {
    waiting_.push_back(std::move(event));
    drain();
}

void RegistrationRun::drain() {
    while (!is_running_ && !waiting_.empty()) {
        const account::Event event = std::move(waiting_.front());
        waiting_.pop_front();
        is_running_ = true;
        step_ = account::step(binding_, event, base::read_clock(), draw());
        effect_ = 0;
        go_on();
    }
}

void RegistrationRun::go_on() {
    while (effect_ < step_.effects.size()) {
        const account::Effect& effect = step_.effects[effect_];
        base::pass(base::KillPoint::before_effect);
        if (!is_write(effect)) {
            hooks_.perform(step_.binding, effect);
        } else if (!store(effect)) {
            return; // `stored` goes on from here
        }
        if (!is_running_) {
            return; // it could not be stored
        }
        base::pass(base::KillPoint::after_effect);
        ++effect_;
    }
    binding_ = std::move(step_.binding);
    is_running_ = false;
    hooks_.stepped();
}

bool RegistrationRun::store(const account::Effect& effect) {
    const auto answered = [this, alive = std::weak_ptr{alive_}](const base::Status& status) {
        if (!alive.expired()) {
            stored(status);
        }
    };
    is_storing_ = true;
    is_asking_ = true;
    if (std::holds_alternative<account::effect::Persist>(effect)) {
        store_->save(step_.binding.record, answered);
    } else {
        store_->remove_registration(step_.binding.record.account, answered);
    }
    is_asking_ = false;
    return !is_storing_;
}

void RegistrationRun::stored(const base::Status& status) {
    is_storing_ = false;
    const bool is_removal = std::holds_alternative<account::effect::Forget>(step_.effects[effect_]);
    if (!status) {
        shell::print({.event = "error",
                      .call = std::nullopt,
                      .tone = is_removal ? shell::Tone::attention : shell::Tone::bad,
                      .text = status.error().context,
                      .fields = {{"account", binding_.record.account}}});
        if (!is_removal) { // as if the step had not been made
            is_running_ = false;
            waiting_.emplace_front(account::event::StoreFailed{});
        }
    }
    if (is_asking_) {
        return; // `go_on` does
    }
    if (is_running_) {
        base::pass(base::KillPoint::after_effect);
        ++effect_;
        go_on();
    }
    drain();
}

} // namespace revenant::app
