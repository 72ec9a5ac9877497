// Our end of one dialog inside the SIP stack: the nua handle, its owner, and what it is waiting
// for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Of our end of a dialog: both ends of a call to oneself have the same Call-ID.
[[nodiscard]] inline std::string leg_key(std::string_view call_id, std::string_view local_tag) {
    return std::string{call_id}.append(1, ' ').append(local_tag);
}

class Leg;

class LegUser {
public:
    virtual ~LegUser() = default;
    virtual void on_leg_event(Leg& leg, const Raw& raw) = 0;
};

// Neither copied nor moved: the stack holds its address as the handle's magic.
class Leg final : public HandleUser {
public:
    // For a call of ours or a restored one: makes the handle with both ends of `dialog`. `user`
    // outlives the Leg.
    Leg(LegUser& user, Stack& stack, nua_t* nua, const call::Dialog& dialog);
    // For an INVITE that came in: adopts its handle.
    Leg(LegUser& user, Stack& stack, Handle fresh, call::Number number);

    void on_handle_event(const Raw& raw) override { user_->on_leg_event(*this, raw); }

    [[nodiscard]] call::Number number() const override { return number_; }

    [[nodiscard]] nua_handle_t* handle() const { return handle_.get(); }

    [[nodiscard]] Stack& stack() const { return *stack_; }

    // The stand-in that this leg's requests end at; empty: they go to the peer.
    std::string quarantine;
    // The Contact of an incoming call, sent with our responses.
    std::string contact;
    // The realm of the challenge that waits for credentials.
    std::string realm;
    // Call-ID and our tag, of a call that we have made or restored.
    std::string key;
    // The branch of an earlier life's INVITE that does not leave yet; empty: none.
    std::string held_back;
    // The branch of our INVITE, if a name has led it to where it goes; else empty.
    std::string reported;
    // Call-ID of a call that came in.
    std::string call_id;
    // The dialog's CSeqs up to this one are an earlier process's.
    std::uint32_t cseq_base = 0;
    // The caller's INVITE has no offer: what we say reliably first has ours (RFC 3262 §5).
    bool must_offer = false;
    // The stored INVITE is on its way in.
    bool is_replaying = false;
    // Our INVITE has no final answer.
    bool is_inviting = false;
    // Of the INVITE of ours that was accepted last.
    std::uint32_t accepted_cseq = 0;
    std::string accepted_tag = {}; // who has accepted it, as soon as that is heard
    // Of a call that is over, and whose INVITE may still want an ACK.
    std::optional<call::Dialog> last;
    // Our BYE is given to the stack.
    bool has_said_bye = false;
    // The INVITE that our BYE has overtaken has its answer: what the stack says next, that the call
    // has ended with it, is not so.
    bool is_overtaken = false;
    // The stack has taken up a BYE of ours, or of its own: another one waits for it.
    bool has_begun_bye = false;
    // Why the stack hangs up by itself; 0: it does not, or has not said why.
    std::uint16_t end_status = 0;
    std::string end_reason;

private:
    LegUser* user_;
    Stack* stack_; // outlives every Leg
    call::Number number_;
    Handle handle_;
};

// Null for a handle of another usage's, or of nobody's.
[[nodiscard]] inline Leg* leg_of(nua_handle_t* handle) {
    return handle != nullptr ? dynamic_cast<Leg*>(nua_handle_magic(handle)) : nullptr;
}

} // namespace revenant::sip
