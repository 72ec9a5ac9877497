// Calls as the SIP side has them: what they are to say comes as effects, what they hear goes back
// as events. No type of the SIP library shows here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::sip {

// Who is told. Everything runs on the main loop's thread; a callback may let any call perform.
class CallListener {
public:
    virtual ~CallListener() = default;

    virtual void on_event(call::Number call, const call::Event& event) = 0;

    // Whether an INVITE may begin a call, asked before anything is done for it; else the caller
    // hears 486.
    virtual bool may_ring() = 0;

    // An INVITE that begins a call; `seed` holds all that it says. Returns the number that the call
    // gets, after which event::Invited follows; nothing when there can be no call, which the peer
    // then hears as 503.
    virtual std::optional<call::Number> on_invite(const call::Dialog& seed) = 0;

    // A message waits for this call, which is still to be restored (CallUsage::expect).
    virtual void on_wanted(call::Number call) = 0;

    // The current dialog of a call that has performed something, null if there is none.
    virtual const call::Dialog* dialog(call::Number call) = 0;
};

// RFC 5057's word: what of a dialog, or of none, belongs to one purpose.
class CallUsage {
public:
    virtual ~CallUsage() = default;

    // Our first CSeq in a dialog that we begin.
    static constexpr std::uint32_t first_cseq = 2;

    // What each effect means is said where it is declared (call/effect.hpp). Nothing comes of one
    // whose dialog the stack has not, but for those that make one: event::Terminated follows then.
    virtual void perform(const call::Call& call, const call::SipEffect& effect) = 0;

    // Before adopt_held_sockets: whether a response to the stored INVITE would find the caller. Not
    // over a connection that is gone.
    [[nodiscard]] virtual bool hears_caller(const call::Dialog& dialog) const = 0;

    // Forgets a call that is over. Safe from within its event.
    virtual void retire(call::Number call) = 0;

    // The dialogs that are going to be restored: what comes in for one of them before that waits
    // for it. Everything else is read from now on.
    virtual void expect(const std::vector<std::pair<std::string, call::Number>>& call_ids) = 0;
    // When all dialogs are restored: reads on from where the earlier process was stopped. `read` is
    // called once, from the main loop: when all that has queued up meanwhile is read and told, or
    // when more keeps coming and it has taken 200 ms.
    [[nodiscard]] virtual base::Status adopt_held_sockets(std::function<void()> read) = 0;
};

} // namespace revenant::sip
