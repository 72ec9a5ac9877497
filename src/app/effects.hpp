// Effects become actions: one small function each.
#pragma once

#include <string>

#include "revenant/base/result.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

class Switchboard;

class Effects {
public:
    // Fails only for Persist.
    [[nodiscard]] static base::Status
    perform(Switchboard& board, call::Call& call, const call::Effect& effect);

    base::Status operator()(const call::effect::Persist& e) const;
    base::Status operator()(const call::effect::PersistSoon& e) const;
    base::Status operator()(const call::effect::Forget& e) const;
    base::Status operator()(const call::effect::Shelve& e) const;
    base::Status operator()(const call::effect::SendInvite& e) const;
    base::Status operator()(const call::effect::RepeatInvite& e) const;
    base::Status operator()(const call::effect::Acknowledge& e) const;
    base::Status operator()(const call::effect::AcknowledgeStandIn& e) const;
    base::Status operator()(const call::effect::AcknowledgeAgain& e) const;
    base::Status operator()(const call::effect::SendPrack& e) const;
    base::Status operator()(const call::effect::Respond& e) const;
    base::Status operator()(const call::effect::Reply& e) const;
    base::Status operator()(const call::effect::RespondBye& e) const;
    base::Status operator()(const call::effect::SendCancel& e) const;
    base::Status operator()(const call::effect::SendBye& e) const;
    base::Status operator()(const call::effect::Reoffer& e) const;
    base::Status operator()(const call::effect::Describe& e) const;
    base::Status operator()(const call::effect::SendInfo& e) const;
    base::Status operator()(const call::effect::SendOptions& e) const;
    base::Status operator()(const call::effect::Authenticate& e) const;
    base::Status operator()(const call::effect::Restore& e) const;
    base::Status operator()(const call::effect::Replay& e) const;
    base::Status operator()(const call::effect::ReplayPrack& e) const;
    base::Status operator()(const call::effect::Arm& e) const;
    base::Status operator()(const call::effect::Lift& e) const;
    base::Status operator()(const call::effect::Dispose& e) const;
    base::Status operator()(const call::effect::RunMedia& e) const;
    base::Status operator()(const call::effect::CloseMedia& e) const;
    base::Status operator()(const call::effect::StartRetryTimer& e) const;
    base::Status operator()(const call::effect::StopRetryTimer& e) const;
    base::Status operator()(const call::effect::StartRingTimer& e) const;
    base::Status operator()(const call::effect::Tell& e) const;
    base::Status operator()(const call::effect::Settle& e) const;

private:
    // Both live for the one visit.
    Effects(Switchboard& board, call::Call& call) : board_{board}, call_{call} {}

    [[nodiscard]] call::Number number() const { return call_.dialog.number; }

    template <typename Say>
    base::Status sent(const Say& say_it) const;
    void say(const char* event, shell::Tone tone, const std::string& text) const;

    Switchboard& board_;
    call::Call& call_;
};

} // namespace revenant::app
