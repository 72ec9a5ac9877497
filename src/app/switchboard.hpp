// The Switchboard: every call by its number. What happens to one comes here from the SIP side and
// from the user, goes to the Runner, and comes back as effects to perform.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/call_ports.hpp"
#include "app/commands/waits.hpp"
#include "app/keeper_link.hpp"
#include "app/ledger.hpp"
#include "app/ringing.hpp"
#include "app/runner.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

struct Policy {
    std::uint32_t epoch = 1; // of this start (journal::Store::next_epoch)
    std::string source = "silence";
    std::string sink = "null"; // %c: the call's number
    std::vector<call::Codec> codecs;
    std::string outbound_proxy;
    std::uint32_t resume_window_ms = 32'000;
    bool resumes_by_itself = false; // what is found at the start; nobody has to type `reinvite`
    std::optional<std::uint16_t> auto_answer; // the status to answer with
    std::size_t calls_max = 20'000;
    std::size_t ringing_max = 64;
    std::uint32_t no_answer_s = 180; // 0: a call may ring for ever
};

// Where a call's sound goes: in `pattern` %c stands for its number, and %% for a %.
[[nodiscard]] std::string sink_of(std::string_view pattern, call::Number call);

class Switchboard final : public sip::CallListener {
public:
    // All borrowed; they outlive the Switchboard.
    Switchboard(journal::Store& store,
                media::Engine& media,
                CallPorts& ports,
                Keeping& keeping,
                Policy policy);

    // Before anything else happens: the SIP side, which needs the Switchboard to exist first.
    void connect(sip::Agent& agent) { agent_ = &agent; }

    // ---- Calls ----
    // `done` is called once, perhaps within: with the number when the call is stored and its INVITE
    // given to the stack.
    using Dialled = std::function<void(const base::Result<call::Number>&)>;
    void dial(std::string_view target, const Dialled& done); // no name
    void dial(const sip::Origin& origin, const Dialled& done);
    // Something happened to a call. `done` is called once, perhaps within, with what became of it:
    // for a user's event why it could not be, Errc::not_found if there is no such call.
    void apply(call::Number number, const call::Event& event, const Runner::Done& done = {});
    [[nodiscard]] const call::Call* find(call::Number number) const;

    [[nodiscard]] const std::map<call::Number, call::Call>& calls() const { return calls_; }

    // The call that a command without an id means: the only one that fits, else Errc::bad_input
    // listing them.
    [[nodiscard]] base::Result<call::Number>
    choose(std::string_view id,
           const std::function<bool(const call::Call&)>& fits,
           std::string_view what) const;

    // ---- After a restart (app/comeback) ----
    // A call of an earlier life, to be restored.
    void adopt(call::Call call);

    // Nothing that happened to it, or to any call, waits for the store.
    [[nodiscard]] bool is_settled(call::Number number) const { return runner_.is_idle(number); }

    [[nodiscard]] bool is_settled() const { return runner_.is_idle(); }

    // Numbers that unusable records hold.
    void reserve(call::Number number) { reserved_.insert(number); }

    // What can wait (effect::PersistSoon) does, until there is no more of it.
    void put_off_tidying(bool put_off);

    [[nodiscard]] const Policy& policy() const { return policy_; }

    [[nodiscard]] Waits& waits() { return waits_; }

    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

    [[nodiscard]] Ledger& ledger() { return ledger_; }

    [[nodiscard]] media::Engine& media() const { return *media_; }

    [[nodiscard]] sip::Agent& agent() { return *agent_; }

    // The number of calls or the state of one has changed.
    std::function<void()> on_change;

    // A call has made a step, and its effects are done.
    std::function<void(const call::Call& before, const call::Call& now)> on_step;
    // A message waits for a call that is still to be restored.
    std::function<void(call::Number)> on_message_waits;

    // sip::CallListener
    void on_event(call::Number number, const call::Event& event) override;

    bool may_ring() override;

    std::optional<call::Number> on_invite(const call::Dialog& seed) override;
    void on_wanted(call::Number number) override;
    const call::Dialog* dialog(call::Number number) override;

private:
    friend class Effects;
    [[nodiscard]] std::optional<call::Number> free_number();
    void stepped(const call::Call& before, const base::Status& status);
    void bury(call::Number number);
    void tidy_soon(call::Number number);
    void tidy_when_idle();
    void tidy();

    media::Engine* media_;
    CallPorts* ports_;
    Keeping* keeping_;
    sip::Agent* agent_ = nullptr;
    Policy policy_;

    std::map<call::Number, call::Call> calls_;
    Runner runner_;
    std::set<call::Number> reserved_;
    std::unordered_map<call::Number, base::Source> retry_timers_;
    std::unordered_map<call::Number, base::Source> ring_timers_;
    Ringing ringing_;
    std::vector<call::Number> buried_;
    base::Source burial_;
    std::vector<call::Number> untidy_; // event::Quiet is due
    base::Source tidying_;
    bool tidies_later_ = false;
    Waits waits_;
    Ledger ledger_;
    call::Number last_number_ = 0; // that was given to a call
};

} // namespace revenant::app
