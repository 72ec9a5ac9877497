// Effects become actions. What the SIP stack is to say or do goes to it (sip/calls.hpp); every
// other effect has a small function here.
#pragma once

#include <string>

#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

class Switchboard;

class Effects {
public:
    // Every effect but Persist and Forget, which are the Runner's.
    static void perform(Switchboard& board, const call::Call& call, const call::Effect& effect);

private:
    // Both live for the one visit.
    Effects(Switchboard& board, const call::Call& call) : board_{board}, call_{call} {}

    [[nodiscard]] call::Number number() const { return call_.dialog.number; }

    // One for each effect that is none of the SIP stack's.
    void run(const call::effect::PersistSoon& e) const;
    void run(const call::effect::Shelve& e) const;
    void run(const call::effect::RunMedia& e) const;
    void run(const call::effect::CloseMedia& e) const;
    void run(const call::effect::StartRetryTimer& e) const;
    void run(const call::effect::StopRetryTimer& e) const;
    void run(const call::effect::StartRingTimer& e) const;
    void run(const call::effect::Tell& e) const;
    void run(const call::effect::Settle& e) const;
    void say(const char* event, shell::Tone tone, const std::string& text) const;

    Switchboard& board_;
    const call::Call& call_;
};

} // namespace revenant::app
