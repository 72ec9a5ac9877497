// The Switchboard: every call, and the one place where events become steps and steps become
// effects, in order.
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

#include "app/commands/waits.hpp"
#include "app/keeper_link.hpp"
#include "app/ledger.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

struct Policy {
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
    Switchboard(journal::Store& store, media::Engine& media, Keeping& keeping, Policy policy);

    // Before anything else happens: the SIP side, which needs the Switchboard to exist first.
    void connect(sip::Agent& agent) { agent_ = &agent; }

    // ---- Calls ----
    [[nodiscard]] base::Result<call::Number> dial(std::string_view target); // no name
    [[nodiscard]] base::Result<call::Number> dial(const sip::Origin& origin);
    // Something happened to a call. The status is that of a user's event; Errc::not_found if there
    // is no such call.
    base::Status apply(call::Number number, const call::Event& event);
    [[nodiscard]] const call::Call* find(call::Number number) const;

    [[nodiscard]] const std::map<call::Number, call::Call>& calls() const { return calls_; }

    // The call that a command without an id means: the only one that fits, else Errc::bad_input
    // listing them.
    [[nodiscard]] base::Result<call::Number>
    choose(std::string_view id,
           const std::function<bool(const call::Call&)>& fits,
           std::string_view what) const;

    // ---- After a restart ----
    // Takes the records over and binds their media ports; `run`: lets their streams go on at once.
    // `epoch` is this start's; it is needed also when there are no records.
    void adopt(std::vector<call::Dialog> dialogs, std::uint32_t epoch, bool run);

    // Calls that come back after all others and one at a time, before `adopt`: an earlier start
    // has died on them.
    void suspect(std::set<call::Number> calls) { suspects_ = std::move(calls); }

    // Numbers that unusable records hold.
    void reserve(call::Number number) { reserved_.insert(number); }

    // Restores what was adopted, a window of calls at a time, the nearest session deadline first;
    // `done` when each is in the stack again.
    void restore(std::function<void()> done);
    // Resume for many, a window of unanswered ones at a time.
    void resume(const std::vector<call::Number>& numbers);

    [[nodiscard]] Waits& waits() { return waits_; }

    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

    [[nodiscard]] Ledger& ledger() { return ledger_; }

    [[nodiscard]] media::Engine& media() const { return *media_; }

    [[nodiscard]] sip::Agent& agent() { return *agent_; }

    // The number of calls or the state of one has changed.
    std::function<void()> on_change;

    // sip::CallListener
    void on_event(call::Number number, const call::Event& event) override;
    bool may_ring() override;
    std::optional<call::Number> on_invite(const call::Dialog& seed) override;
    void on_wanted(call::Number number) override;
    const call::Dialog* dialog(call::Number number) override;

private:
    friend class Effects;
    // States on the way back that end by themselves.
    [[nodiscard]] static bool is_under_way(const call::Call& call);
    // Not the call whose INVITE comes in again with the connection that it came over: that is
    // after all others are restored.
    [[nodiscard]] static bool is_being_restored(const call::Call& call);
    [[nodiscard]] std::optional<call::Number> free_number();
    [[nodiscard]] base::Status perform_all(call::Number number,
                                           const call::Call& before,
                                           const std::vector<call::Effect>& effects);
    void settle(const call::Call& call, call::Verdict verdict, const std::string& reason);
    void settle_late(call::Number number,
                     call::Verdict verdict,
                     const std::string& reason,
                     base::Now when,
                     int tries_left);
    // A call's RTP sockets: held ones if there are, else new ones, which are then handed over to be
    // held. `port` 0: any.
    [[nodiscard]] base::Result<call::Endpoint>
    open_ports(call::Number number, const std::string& address, std::uint16_t port);
    void close_ports(call::Number number);
    [[nodiscard]] std::vector<call::Dialog*> without_copies(std::vector<call::Dialog>& dialogs);
    bool reopen_ports(const call::Dialog& record);
    void note_ringing(const call::Call& call);
    void count_refusal(std::string why);
    void tell_refusals();
    void bury(call::Number number);
    void tidy_soon(call::Number number);
    void tidy_when_idle();
    void tidy();
    void pump();
    void suspects_last(std::vector<call::Number>& queue) const;
    [[nodiscard]] bool may_begin(call::Number number);
    void watch_progress();
    void tell_progress() const;

    journal::Store* store_;
    media::Engine* media_;
    Keeping* keeping_;
    sip::Agent* agent_ = nullptr;
    Policy policy_;

    std::map<call::Number, call::Call> calls_;
    std::set<call::Number> reserved_;
    std::unordered_map<call::Number, base::Source> retry_timers_;
    std::unordered_map<call::Number, base::Source> late_settlements_;
    std::unordered_map<call::Number, base::Source> ring_timers_;
    std::set<call::Number> ringing_;
    std::int64_t refusals_ = 0; // not told yet
    std::int64_t refusals_seen_ = 0;
    std::string refusals_why_;
    base::Source refusals_timer_;
    std::vector<call::Number> buried_;
    base::Source burial_;
    std::vector<call::Number> untidy_; // event::Quiet is due
    base::Source tidying_;
    Waits waits_;
    Ledger ledger_;

    std::vector<call::Number> to_restore_; // the last goes first
    std::vector<call::Number> to_resume_;
    std::set<call::Number> under_way_; // being restored or resumed
    std::set<call::Number> suspects_;
    base::Source patience_; // until the next suspect goes, whatever else is under way
    bool is_impatient_ = false;
    std::function<void()> on_restored_;
    base::Source progress_; // while there is some
    std::optional<shell::Gathering> gathering_;
    std::uint32_t epoch_ = 1;
    call::Number last_number_ = 0; // that was given to a call
    std::int64_t started_ms_ = 0;
    bool pumping_ = false;
};

} // namespace revenant::app
