// What a step asks to be done, in order. Every effect is about the Call that the step returned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "revenant/base/variant.hpp"
#include "revenant/call/event.hpp"

namespace revenant::call {

// How a call that was restored came out.
enum class Verdict : std::uint8_t {
    survived, // the peer has answered our refresh
    finished, // it was over, or was being ended, and is properly ended now
    lost,
};

enum class News : std::uint8_t {
    calling,
    progress,
    incoming,
    established,
    held, // detail: "local" or "remote"
    unheld,
    refreshed,
    info,      // received
    requested, // our INFO or OPTIONS was answered
    refused,   // an offer of ours was refused; the call goes on as it was
    ended,     // detail: who ended it, "local", "remote", "timer", "refusal", "failure"
    failed,
    restored,
    resuming,
    resumed,
    retrying,
    gone,
    lost,
    trouble,
};

namespace effect {

// What becomes of the step when the record cannot be stored.
enum class Otherwise : std::uint8_t {
    abandon, // nothing has been said to anyone: the call stays as it was, the user is told
    report,  // the peer waits for an answer: StoreFailed goes to the old state
    go_on,   // the record on disk is still good enough; the user is warned
};

struct Persist {
    Otherwise otherwise = Otherwise::abandon;
};

// event::Quiet when there is nothing else to do: what the record says is good enough until then.
struct PersistSoon {};

struct Forget {}; // the record

struct Shelve {}; // leave the record for another start, and give its number to no call

struct SendInvite {}; // with the CSeq in_flight.cseq

struct RepeatInvite {}; // an earlier life's, as a retransmission

struct Acknowledge {}; // ACK to the peer's 2xx; ends the quarantine

struct AcknowledgeStandIn {};

// ACK to a 2xx whose INVITE the stack knows nothing of: an earlier life has sent it.
struct AcknowledgeAgain {
    std::uint32_t cseq = 0;
};

struct SendPrack { // RFC 3262 §4
    std::uint32_t rseq = 0;
    std::uint32_t invite_cseq = 0;
    std::uint32_t cseq = 0; // its own
};

struct Respond { // to the INVITE; 2xx with local_sdp
    std::uint16_t status = 180;
};

struct Reply { // to the peer's request in the dialog that the step is about; a 2xx with local_sdp
               // if it had an offer or needs one
    std::uint16_t status = 200;
    bool with_sdp = true;
    RequestRef request = {}; // the event's; who performs the step fills it in
};

struct RespondBye {
    RequestRef request = {};
};

struct SendCancel {};

struct SendBye {}; // to the peer, also out of quarantine

struct Reoffer {}; // re-INVITE with local_sdp

struct Describe {}; // local_sdp is what the stack offers from now on, if it refreshes the session

struct SendInfo {
    std::string content_type = {};
    std::string body = {};
};

struct SendOptions {};

struct Authenticate {};

struct Restore {}; // through the stand-in, at Call::cseq_base; the dialog is quarantined

struct Replay {}; // in_flight.invite comes in again, into the restored dialog

struct ReplayPrack {}; // in_flight.prack does, when our response to that has left

struct Arm {}; // one re-INVITE to the peer; everything else stays in quarantine

struct Lift {}; // end the quarantine

struct Dispose {}; // destroy the dialog in the stack; nothing reaches the peer

struct RunMedia {}; // start, or apply dialog.media and the hold state

struct CloseMedia {};

struct StartRetryTimer {
    std::uint32_t delay_ms = 0;
};

struct StopRetryTimer {};

struct StartRingTimer { // for event::RingDue; it means nothing to a call that no longer rings
    std::uint32_t delay_ms = 0;
};

struct Tell {
    News news = News::trouble;
    std::uint16_t status = 0;
    std::string detail = {};
    std::string why = {};            // of an end
    std::int64_t round_trip_ms = -1; // from a request of the user's to its answer; -1: not measured
    std::string allow = {};          // what the other end has just said that it takes
};

struct Settle { // the ledger line of a restored call
    Verdict verdict = Verdict::survived;
    std::string reason = {};
};

} // namespace effect

// What the SIP stack is to say, or to do with the dialog in it.
using SipEffect = std::variant<effect::SendInvite,
                               effect::RepeatInvite,
                               effect::Acknowledge,
                               effect::AcknowledgeStandIn,
                               effect::AcknowledgeAgain,
                               effect::SendPrack,
                               effect::Respond,
                               effect::Reply,
                               effect::RespondBye,
                               effect::SendCancel,
                               effect::SendBye,
                               effect::Reoffer,
                               effect::Describe,
                               effect::SendInfo,
                               effect::SendOptions,
                               effect::Authenticate,
                               effect::Restore,
                               effect::Replay,
                               effect::ReplayPrack,
                               effect::Arm,
                               effect::Lift,
                               effect::Dispose>;

using RecordEffect =
    std::variant<effect::Persist, effect::PersistSoon, effect::Forget, effect::Shelve>;

using OtherEffect = std::variant<effect::RunMedia,
                                 effect::CloseMedia,
                                 effect::StartRetryTimer,
                                 effect::StopRetryTimer,
                                 effect::StartRingTimer,
                                 effect::Tell,
                                 effect::Settle>;

using Effect = base::Joined<RecordEffect, SipEffect, OtherEffect>;

template <typename T>
concept SaysSip = base::is_alternative<T, SipEffect>;

[[nodiscard]] std::string_view name(const Effect& effect);
[[nodiscard]] std::string_view name(News news);
[[nodiscard]] std::string_view name(Verdict verdict);

} // namespace revenant::call
