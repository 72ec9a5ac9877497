// Events become steps, and a step's effects are performed in their order: one step of a call at a
// time. The store may answer late; until it has, what else happens to that call waits in its queue,
// and the other calls go on.
//
// A write that has no answer after `write_deadline_ms` counts as failed, and may happen all the
// same. So the record is put right behind it: as the call is without that step, or removed if it
// was not stored before. The store keeps the order of one call's writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::app {

class Runner {
public:
    static constexpr std::uint32_t write_deadline_ms = 2000;

    struct Hooks {
        // Every effect but Persist and Forget. `call` is as the step has left it.
        std::function<void(const call::Call& call, const call::Effect& effect)> perform;
        // What the record says of the media that only they know.
        std::function<void(call::Call& call)> before_save;
        // A step is done: `before` became what stands in `calls` now.
        std::function<void(const call::Call& before, const base::Status& status)> stepped;
        // The outcome of the last write of a call that is not stored otherwise is not known: its
        // number is to be given to no other.
        std::function<void(call::Number number)> unsure = [](call::Number) {};
        std::function<base::Now()> clock = base::read_clock;
        std::function<base::Source(std::uint32_t delay_ms, std::function<void()> f)> after =
            base::after_ms;
    };

    // What became of the event: the step's status, or why it could not be stored.
    using Done = std::function<void(const base::Status&)>;

    // `calls` has each call as its last step left it that is done: nobody sees what is not stored.
    // All borrowed; they outlive the Runner.
    Runner(std::map<call::Number, call::Call>& calls, journal::Store& store, Hooks hooks);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    // Something has happened to a call that there is. `done`, if any, is called once, perhaps
    // before this returns.
    void arrive(call::Number number, const call::Event& event, Done done = {});

    // The call is gone, with all that waits for it. Not from within one of its steps.
    void forget(call::Number number) { runs_.erase(number); }

    // Nothing of it waits, neither for the store nor behind what does.
    [[nodiscard]] bool is_idle(call::Number number) const;
    [[nodiscard]] bool is_idle() const;

    // The store does not keep up: what need not begin now should not.
    [[nodiscard]] bool is_behind() const;

private:
    struct Waiting {
        call::Event event;
        Done done;
    };

    enum class At : std::uint8_t { idle, running, storing };

    // A call's step, and what waits behind it.
    struct Run {
        At at = At::idle;
        std::deque<Waiting> waiting;
        call::Call next; // what the step has made of the call
        std::vector<call::Effect> effects;
        std::size_t effect = 0; // the next one to perform
        base::Status status;    // the step's own
        Done done;
        call::RequestRef request;           // the peer's, that the step is about
        call::HeldRef held;                 // the stack's message that says what the step stores
        std::uint64_t ticket = 0;           // of the write that it waits for
        base::Source deadline;              // of that write
        bool is_asking = false;             // within save() or remove()
        std::optional<base::Status> stored; // the write's answer, when it came within
    };

    void begin(call::Number number, Run& run, const call::Event& event, Done done);
    void go_on(call::Number number, Run& run);
    void drain(call::Number number);
    [[nodiscard]] bool refuse(call::Number number, const Run& run, const call::Event& event);
    [[nodiscard]] static bool crosses(const Run& run, const call::Effect& effect);
    void store(call::Number number, Run& run, const call::Effect& effect);
    void put_right(call::Number number);
    void is_late(call::Number number, std::uint64_t ticket);
    void stored(call::Number number, std::uint64_t ticket, const base::Status& status);
    [[nodiscard]] static bool accepts(call::Number number, Run& run, const base::Status& status);
    void finish(call::Number number, Run& run);

    std::map<call::Number, call::Call>* calls_;
    journal::Store* store_;
    Hooks hooks_;
    std::unordered_map<call::Number, Run> runs_;
    std::uint64_t last_ticket_ = 0;
    std::map<std::uint64_t, std::int64_t> under_way_; // ticket, when asked (boot clock)
    // shared_ptr: the only owner; watched by answers of the store that come after the end.
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace revenant::app
