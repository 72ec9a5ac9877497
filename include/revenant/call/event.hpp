// What can happen to a call, as plain values. SIP messages arrive here already decoded and copied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "revenant/call/dialog.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

// What a message from the peer says about the dialog, beside what it is for. Empty: not said.
struct PeerFacts {
    std::string remote_tag = {};
    std::string remote_target = {};
    std::vector<std::string> route_set = {}; // in the order of our Route header fields
    std::string allow = {};
    std::string supported = {};
    Endpoint source = {};
    std::uint32_t session_expires_s = 0; // RFC 4028 §4
    std::uint32_t min_se_s = 0;
    Refresher refresher = Refresher::none;

    friend bool operator==(const PeerFacts&, const PeerFacts&) = default;
};

// A request of the peer's that waits for its answer, as the SIP side knows it: nothing to look
// into. When nobody has it any more the request is not answered.
using RequestRef = std::shared_ptr<const void>; // shared: an event and the effects that answer it

// A message that the stack is about to send by itself and that waits until what it says is stored,
// as the SIP side knows it: it leaves when nobody has it any more.
using HeldRef = std::shared_ptr<const void>; // shared: an event may be copied into a queue

namespace event {

// ---- The user ----
struct Dial {};

struct Answer {};

struct Decline {
    std::uint16_t status = 486;
};

struct HangUp {}; // BYE, CANCEL or 486: whatever ends the call in its state

struct Hold {};

struct Unhold {};

struct SendInfo {
    std::string content_type = {};
    std::string body = {};
};

struct SendOptions {};

// `deadline_ms`: for how long from now answers that leave the dialog in doubt are tried again.
struct Resume {
    std::uint32_t deadline_ms = 32'000;
};

// ---- The start of the program ----
// The record was loaded: rebuild the dialog inside the SIP stack. Nothing leaves the machine.
struct Restore {
    bool resume = false;         // then go on as if Resume had come
    bool can_hear_caller = true; // UDP, or the connection that the INVITE came over is still open
    std::uint32_t deadline_ms = 32'000;
};

// ---- The network: our INVITEs ----
struct Progress {
    std::uint16_t status = 0;
    std::string reason = {};
    std::string remote_tag = {};
    std::uint32_t min_se_s = 0; // the stack repeats the INVITE after a 422 (RFC 4028 §7.3)
    std::optional<RemoteSession> answer = {}; // early media
    std::uint32_t rseq = 0;                   // wants a PRACK (RFC 3262); 0: does not
    std::uint32_t prack_cseq = 0;             // reserved for it; 0: the stack sends it by itself
    std::uint32_t cseq = 0;                   // of the INVITE
};

struct Answered { // 2xx, not ACKed yet
    std::uint32_t cseq = 0;
    bool from_stand_in = false;
    bool by_another = false; // a proxy forked the INVITE, and the stack waits for another callee
    PeerFacts facts = {};
    std::optional<RemoteSession> answer = {};
    // Why requests cannot be sent to the one who has answered; empty: they can.
    std::string fault = {};
};

// A 2xx to an INVITE that an earlier life has sent: the peer repeats it until it has an ACK.
struct AnsweredBefore {
    std::uint32_t cseq = 0;
};

// The stack is about to send our INVITE to where a name has led: repeated, it goes there again.
struct Directed {
    Endpoint to = {};
    HeldRef held = {};
};

// The stack is about to acknowledge a refusal of our INVITE.
struct Refused {
    std::uint16_t status = 0;
    std::uint32_t cseq = 0;
    std::uint32_t next_cseq = 0; // which the stack would use for another try
    HeldRef held = {};           // the ACK
};

// To a request of ours that waits for credentials now, or is over for want of them: then what comes
// after a refusal follows.
struct Challenged {
    std::uint16_t status = 401;
    std::uint32_t cseq = 0;
    std::string realm = {};
    bool have_credentials = false; // when it is over, they were not taken
    bool is_over = false;
    std::string method = "INVITE"; // or "BYE", "INFO", "OPTIONS", "UPDATE"
};

struct Failed { // 3xx to 6xx
    std::uint16_t status = 0;
    std::string reason = {};
    bool is_local =
        false; // nobody has answered, or the INVITE has reached nobody: `reason` says why
    std::uint32_t cseq = 0;
    std::uint32_t retry_after_s = 0;
    std::uint32_t min_se_s = 0;
};

// The dialog is usable (again): after an ACK, or after a re-INVITE that failed without ending it.
struct Ready {
    std::string local_sdp = {}; // our description as the stack has it; empty: not said
};

// The SIP stack has given the dialog up.
struct Terminated {
    std::uint16_t status = 0;
    std::string reason = {};
};

// ---- The network: the peer's requests ----
struct Invited {
    std::optional<RemoteSession> offer = {};
    std::optional<std::uint32_t> expires_s = {}; // Expires (RFC 3261 §13.3.1): how long it may ring
};

struct Acked { // our 2xx; or our reliable 180, if it carried the offer
    std::optional<RemoteSession> answer = {}; // to the offer that we sent
};

struct Cancelled { // the stack is about to answer the CANCEL with 200 and the INVITE with 487
    HeldRef held = {};
};

struct Offered { // re-INVITE or UPDATE
    bool update = false;
    bool reliable = false; // what is said before the final answer needs a PRACK (RFC 3262)
    std::uint32_t cseq = 0;
    PeerFacts facts = {};
    std::optional<RemoteSession> offer = {};
    RequestRef request = {};
};

struct PeerBye {
    std::uint32_t cseq = 0;
    std::string reason = {}; // the Reason header field (RFC 3326), if any
    RequestRef request = {};
};

struct PeerPrack {         // for our reliable 180 (RFC 3262); the stack is about to answer it
    std::string text = {}; // as received
    HeldRef held = {};     // the 200 to it
};

struct PeerInfo {
    std::uint32_t cseq = 0;
    std::string content_type = {};
    std::string body = {};
    RequestRef request = {};
};

// ---- The network: our other requests ----
struct RequestDone {
    std::string method = {}; // "BYE", "INFO", "OPTIONS", "PRACK", "UPDATE"
    std::uint16_t status = 0;
    std::string reason = {};
    bool is_local = false;  // as in Failed
    std::string allow = {}; // the Allow header field, of an answer to OPTIONS
    std::uint32_t cseq = 0;
    bool from_stand_in = false;
};

// ---- Time and disk ----
struct RetryDue {};

struct RingDue {}; // it has rung for as long as it may

// Nothing else waits: time to store what was left for later.
struct Quiet {};

// The record could not be stored, and what was to follow has not been done.
struct StoreFailed {
    std::string why = {};
    RequestRef request = {}; // that what failed was about
};

} // namespace event

using Event = std::variant<event::Dial,
                           event::Answer,
                           event::Decline,
                           event::HangUp,
                           event::Hold,
                           event::Unhold,
                           event::SendInfo,
                           event::SendOptions,
                           event::Resume,
                           event::Restore,
                           event::Progress,
                           event::Answered,
                           event::AnsweredBefore,
                           event::Directed,
                           event::Refused,
                           event::Challenged,
                           event::Failed,
                           event::Ready,
                           event::Terminated,
                           event::Invited,
                           event::Acked,
                           event::Cancelled,
                           event::Offered,
                           event::PeerBye,
                           event::PeerPrack,
                           event::PeerInfo,
                           event::RequestDone,
                           event::RetryDue,
                           event::RingDue,
                           event::Quiet,
                           event::StoreFailed>;

[[nodiscard]] std::string_view name(const Event& event);

} // namespace revenant::call
