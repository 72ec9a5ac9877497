// The call machine's parts: one function per event, grouped by where the event comes from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/state_traits.hpp"

namespace revenant::call {

// user_steps.cpp
[[nodiscard]] Step on(const Call& call, const event::Dial& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Answer& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Decline& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::HangUp& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Hold& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Unhold& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::SendInfo& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::SendOptions& e, base::Now now);
// The call that rings gets our 200; `otherwise`: what if it cannot be stored.
void accept(Step& result, effect::Otherwise otherwise, base::Now now);

struct Refusal {
    std::uint16_t status = 486;
    std::string by = "local"; // who has decided it, for the user
    bool is_stored = true;    // else a restart waits for the caller's INVITE to come in again
};

// The call that rings gets our refusal.
void decline(Step& result, const Refusal& refusal);

// invite_steps.cpp: answers to our INVITEs
[[nodiscard]] Step on(const Call& call, const event::Progress& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Answered& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Challenged& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Failed& e, base::Now now);

// ready_steps.cpp: what the stack has finished
[[nodiscard]] Step on(const Call& call, const event::Ready& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Terminated& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::RequestDone& e, base::Now now);

// peer_steps.cpp: the peer's requests
[[nodiscard]] Step on(const Call& call, const event::Invited& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Acked& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Cancelled& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Offered& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::PeerBye& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::PeerInfo& e, base::Now now);

// ring_steps.cpp: a call rings no longer than it may
[[nodiscard]] Step on(const Call& call, const event::RingDue& e, base::Now now);
// Notes down until when, for `ring_timer`.
void limit_ringing(Call& call, const event::Invited& e, base::Now now);
// The effect that the call, which rings now, needs to stop; none if it may ring for ever.
void ring_timer(Step& result, base::Now now);
[[nodiscard]] bool has_rung_enough(const Dialog& dialog, base::Now now);

// reliable_steps.cpp
[[nodiscard]] Step on(const Call& call, const event::PeerPrack& e, base::Now now);
// The PRACK that a 1xx asks for, and its answer.
void acknowledge_progress(Step& result, const event::Progress& e);
// An earlier life has had the answer to our offer, and the 2xx does not repeat it.
[[nodiscard]] Step make_answered(Step result, base::Now now);
void note_prack_answer(Step& result, const event::RequestDone& e);

// resume_steps.cpp
[[nodiscard]] Step on(const Call& call, const event::Resume& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Restore& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::RetryDue& e, base::Now now);

// Answers and ends that come while a restored call is being resumed.
[[nodiscard]] Step resume_answered(const Call& call, const event::Answered& e, base::Now now);
[[nodiscard]] Step resume_ready(const Call& call, base::Now now);
[[nodiscard]] Step resume_terminated(const Call& call, const event::Terminated& e, base::Now now);

// store_steps.cpp: the record
[[nodiscard]] Step on(const Call& call, const event::StoreFailed& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Quiet& e, base::Now now);

// early_steps.cpp: INVITEs that an earlier life has left unfinished
[[nodiscard]] Step on(const Call& call, const event::AnsweredBefore& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Directed& e, base::Now now);
[[nodiscard]] Step on(const Call& call, const event::Refused& e, base::Now now);
[[nodiscard]] Step repeat_invite(const Call& call);
// Whether the stored INVITE of the caller has to come in again for this call to go on.
[[nodiscard]] bool must_replay(const Dialog& dialog, const event::Restore& e, base::Now now);
[[nodiscard]] Step replayed(const Call& call, const event::Offered& e, base::Now now);

// A target that cannot be used is not taken over (RFC 3261 §12.2.1.2), and the user hears of it.
void tell_fault(Step& result, const event::Answered& e);

// offer_steps.cpp
// Hold or unhold: a re-INVITE whose description differs in its direction only (RFC 3264 §8.4).
[[nodiscard]] Step offer_hold(const Call& call, bool hold);
// A plain session refresh, with the description as it is (RFC 4028 §7.4).
[[nodiscard]] Step refresh(const Call& call);
// Whether it is the end of what an offer of ours has to wait for (Call::in_the_way).
[[nodiscard]] bool is_in_the_way(const event::RequestDone& e);
// If one does, and nothing is in its way any more.
void make_offer_that_waits(Step& result);
// The stack's own refresh has its 2xx while an offer of ours waits.
[[nodiscard]] Step
refreshed_before_offer(const Call& call, const event::Answered& e, base::Now now);

// refusal_steps.cpp
// Whether the answer says that the other end has no such call any more.
[[nodiscard]] bool ends_dialog(std::uint16_t status, bool is_local);
// Stored, then said; Call::ending tells why.
void hang_up(Step& result);
[[nodiscard]] Step end_refused(const Call& call, std::uint16_t status, const std::string& reason);
// Our re-INVITE was refused, and the call goes on as it was before.
[[nodiscard]] Step roll_back(const Call& call, base::Now now);
void refresh_refused(Step& result, base::Now now);
// Description and hold as they were before our offer.
void take_offer_back(Call& call);
// A re-INVITE that fails stops the stack's session timer: the next refresh is ours to begin, or the
// end for want of the peer's.
void await_refresh(Step& result, base::Now now);
[[nodiscard]] Step refresh_again(const Call& call, base::Now now);

// bye_steps.cpp
// The peer has answered with what nobody can read: the 2xx is acknowledged, and the call ended with
// BYE (RFC 3261 §13.2.2.4), in a dialog made anew because the stack has given its own up.
[[nodiscard]] Step end_unreadable(const Call& call, const event::Answered& e);

// The stack has given the dialog up, over a request of the peer's that crossed our BYE, and the BYE
// with it: once more, in a dialog made anew.
[[nodiscard]] Step say_bye_again(const Call& call);

// ---- What several of them use ----

[[nodiscard]] inline Step stay(const Call& call) {
    return {.call = call, .effects = {}, .status = {}};
}

[[nodiscard]] inline Step refuse(const Call& call, std::string why) {
    return {.call = call, .effects = {}, .status = base::fail(base::Errc::not_now, std::move(why))};
}

// Takes over what a 2xx, a re-INVITE or an UPDATE says (RFC 3261 §12.2.1.2: target, not route).
void learn(Dialog& dialog, const PeerFacts& facts, base::Now now);

// The 2xx is sent or received now.
void stamp_answer(Dialog& dialog, base::Now now);

// Notes a CSeq of ours seen on the wire and keeps the watermark ahead of it. True when the record
// has to be stored for that.
[[nodiscard]] bool note_cseq(Call& call, std::uint32_t cseq);

// How long to wait after 491: the caller 2.1 to 4 s, the callee up to 2 s (RFC 3261 §14.1). The
// offset within the range comes from the call's SSRC and the refused CSeq: random, another one
// after the next 491, and the same on every run of a test.
[[nodiscard]] std::uint32_t glare_delay_ms(const Call& call);

// What we would like to do with the audio, before the peer has its say.
[[nodiscard]] Direction wanted(const Hold& hold);

// Whether the peer's description asks us to send nothing in the stream agreed on (RFC 3264 §8.4).
[[nodiscard]] bool peer_holds(const RemoteSession& session, const Media& agreed);

// Puts the peer's answer to our `local_sdp` into the dialog.
[[nodiscard]] base::Status apply(Call& call, const RemoteSession& answer);

// Whether the stack gives the dialog up over a description that it cannot read.
[[nodiscard]] inline bool is_unreadable(const std::optional<RemoteSession>& answer) {
    return answer && answer->streams.empty();
}

// The restored call's line in the ledger, once.
void settle(Step& result, Verdict verdict, std::string reason);

// The call is over: record, media and ledger.
void finish(Step& result, std::string ledger_reason);

} // namespace revenant::call
