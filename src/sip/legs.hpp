// The calls' usage: every leg. What calls say is in call_requests.cpp, of a dialog made anew in
// quarantine.cpp; what they hear in call_events.cpp, a start with calls in call_return.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/sip/calls.hpp"
#include "sip/comeback/early_reader.hpp"
#include "sip/comeback/queue_end.hpp"
#include "sip/comeback/stand_in.hpp"
#include "sip/core.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/stack.hpp"

namespace revenant::sip {

class Legs final : public CallUsage, public LegUser {
public:
    Legs(Core& core, CallListener& listener); // both outlive it
    Legs(const Legs&) = delete;
    Legs& operator=(const Legs&) = delete;
    ~Legs() override;

    void perform(const call::Call& call, const call::SipEffect& effect) override;
    [[nodiscard]] bool hears_caller(const call::Dialog& dialog) const override;
    void retire(call::Number call) override;
    void expect(const std::vector<std::pair<std::string, call::Number>>& call_ids) override;
    [[nodiscard]] base::Status adopt_held_sockets(std::function<void()> read) override;

    // As StackUser's, for an INVITE.
    void on_new_invite(Stack& stack, Handle& fresh, const Raw& raw);
    void on_stray_answer(Stack& stack, const sip_t& sip, bool is_ours);

    // No more answers are waited for.
    void let_all_go() { lingering_.clear(); }

private:
    // ---- What calls say: one for each alternative of call::SipEffect ----
    void say(const call::Call& call, const call::effect::SendInvite& e);
    void say(const call::Call& call, const call::effect::RepeatInvite& e);
    void say(const call::Call& call, const call::effect::Acknowledge& e);
    void say(const call::Call& call, const call::effect::AcknowledgeStandIn& e);
    void say(const call::Call& call, const call::effect::AcknowledgeAgain& e);
    void say(const call::Call& call, const call::effect::SendPrack& e);
    void say(const call::Call& call, const call::effect::Respond& e);
    void say(const call::Call& call, const call::effect::Reply& e);
    void say(const call::Call& call, const call::effect::RespondBye& e);
    void say(const call::Call& call, const call::effect::SendCancel& e);
    void say(const call::Call& call, const call::effect::SendBye& e);
    void say(const call::Call& call, const call::effect::Reoffer& e);
    void say(const call::Call& call, const call::effect::Describe& e);
    void say(const call::Call& call, const call::effect::SendInfo& e);
    void say(const call::Call& call, const call::effect::SendOptions& e);
    void say(const call::Call& call, const call::effect::Authenticate& e);
    void say(const call::Call& call, const call::effect::Restore& e);
    void say(const call::Call& call, const call::effect::Replay& e);
    void say(const call::Call& call, const call::effect::ReplayPrack& e);
    void say(const call::Call& call, const call::effect::Arm& e);
    void say(const call::Call& call, const call::effect::Lift& e);
    void say(const call::Call& call, const call::effect::Dispose& e);
    void invite(const call::Dialog& dialog);
    void lift(const call::Dialog& dialog);
    void reply(const call::Dialog& dialog,
               const call::RequestRef& request,
               std::uint16_t status,
               bool with_sdp);
    void release(call::Number number);
    void report_terminated(call::Number number, std::string why);

    // ---- What they hear ----
    void on_leg_event(Leg& leg, const Raw& raw) override;
    void answered_by_another(call::Number call, const sip_t& sip);
    void answered_at_last(Leg& leg, const Raw& raw);
    void on_cancel(std::string_view call_id, const call::HeldRef& held);
    void on_prack(std::string_view call_id, const std::string& prack, const call::HeldRef& held);
    void on_refusal(const outgoing_watch::Refusal& refusal, const call::HeldRef& held);
    void on_invite_leaving(const outgoing_watch::Invite& invite, const call::HeldRef& held);
    static void note_invite(Leg& leg, const Raw& raw);
    static void note_own_end(Leg& leg, const Raw& raw);

    // ---- Who they are ----
    [[nodiscard]] Leg* leg(call::Number number);
    [[nodiscard]] Leg& make_leg(Stack& stack, const call::Dialog& dialog);
    [[nodiscard]] const call::Dialog* dialog_of(std::string_view call_id,
                                                std::string_view tag) const;
    [[nodiscard]] base::Result<std::string> stand_in_url(const Stack& stack);
    void give_up(call::Number call, bool until_answered);
    void destroy_soon(const Leg& leg);
    void destroy_soon(std::unique_ptr<Leg> leg);

    // ---- A start with calls ----
    void end_overdue_replays();
    void has_come(const std::string& call_id);
    [[nodiscard]] bool is_awaited(std::string_view call_id);

    Core* core_;
    CallListener* listener_;
    std::string stand_in_name_;
    std::array<std::unique_ptr<StandIn>, 2> stand_ins_; // IPv4, IPv6; opened when first needed
    std::unordered_map<call::Number, std::unique_ptr<Leg>> legs_;
    // Calls that we have made, or restored, by Call-ID and our tag.
    std::unordered_map<std::string, call::Number> legs_by_key_;

    struct Awaited {
        call::Number call = 0;
        bool is_wanted = false; // a message for it has come
    };

    std::unordered_map<std::string, Awaited> awaited_; // by Call-ID: dialogs that are not there yet
    std::optional<EarlyReader> early_reader_;
    std::unordered_map<std::string, call::Number> ringing_; // not answered by us; by Call-ID
    // Of calls that are over while a re-INVITE of ours has no answer, which may still want an ACK:
    // without its handle the stack says it again and again, and knows nothing of the answer.
    std::vector<std::unique_ptr<Leg>> lingering_;
    std::vector<std::unique_ptr<Leg>> retired_;
    base::Source sweep_;
    std::vector<base::Source> reports_;
    std::unordered_map<call::Number, base::Source> releases_; // of INVITEs held back
    base::Source overdue_;
    std::optional<QueueEnd> queue_end_;
};

} // namespace revenant::sip
