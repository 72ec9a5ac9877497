// One registration's events, a step at a time: while its record is being stored, what else happens
// to it waits (as the Runner does it for calls).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "revenant/account/event.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::app {

class RegistrationRun {
public:
    struct Hooks {
        std::function<void(const account::Binding&, const account::Effect&)> perform;
        std::function<void()> stepped; // the step and its effects are done
    };

    RegistrationRun(journal::Store& store, Hooks hooks); // the store outlives it

    // Before the first event of a life.
    void begin_with(account::Binding binding) { binding_ = std::move(binding); }

    void arrive(account::Event event);

    [[nodiscard]] const account::Binding& binding() const { return binding_; }

    // For what is not in a step: the record before its first.
    [[nodiscard]] account::Registration& record() { return binding_.record; }

    [[nodiscard]] bool is_idle() const { return !is_running_ && waiting_.empty(); }

private:
    void drain();
    void go_on();
    [[nodiscard]] bool store(const account::Effect& effect); // false: its answer is to come
    void stored(const base::Status& status);

    journal::Store* store_;
    Hooks hooks_;
    account::Binding binding_;
    std::deque<account::Event> waiting_;
    bool is_running_ = false;
    account::Step step_;      // under way
    std::size_t effect_ = 0;  // of its effects, the next one
    bool is_storing_ = false; // its answer is to come
    bool is_asking_ = false;  // within save() or remove()
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace revenant::app
