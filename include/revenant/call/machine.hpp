// The call machine: what to do when something happens to a call. Pure: no I/O, no clock, no log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"

namespace revenant::call {

//          Dial                              Invited
//            |                                  |
//        inviting --1xx--> proceeding        alerting --Answer--> answering
//            |   \            |   \             |                    |
//            |    `--HangUp---|----`--> canceling                  Acked
//            +------2xx-------+                 | CANCEL, Decline    |
//            v                                  v                    v
//       established <------------------------- over <--- ending   established
//         |     ^                                          ^
//    Hold |     | 2xx, or refused                          | HangUp; 481 or 408 to our request
//         v     |
//       modifying
//
// After a restart:
//   idle --Restore--> restoring --Ready--> restored --Resume--> resuming --2xx--> established
//                         ^                   ^                  | ^ ^ |
//                         |                   `--the deadline----+ | | `--481, 404, 410--> ending
//                         |        retrying <-491, 5xx, no answer' | |
//                         |            `--------RetryDue-----------' |
//                         |        detour <-2xx of the stand-in------'
//                         `--Terminated-- from any of these
//
// What had no final answer goes on where it was:
//   idle --Restore--> inviting                       the same INVITE again
//   idle --Restore--> restoring --Ready--> replaying --the stored INVITE--> alerting, answering
enum class State : std::uint8_t {
    idle,
    inviting,   // INVITE sent
    proceeding, // a 1xx came
    canceling,  // CANCEL sent
    alerting,   // INVITE received, not answered
    answering,  // our 200 sent, no ACK
    refusing,   // our 3xx to 6xx given to the stack; the record goes when it has left
    established,
    modifying, // our re-INVITE has no answer
    ending,    // our BYE has no answer
    restoring, // the stand-in plays the peer
    replaying, // the stored INVITE comes in once more
    restored,  // the dialog exists again; quarantined, the peer has seen nothing
    resuming,  // the armed re-INVITE has no answer
    detour,    // the stack sent its own retry to the stand-in; arm again when ready
    retrying,  // as restored; another armed re-INVITE when the timer fires
    over,      // the last one
};

[[nodiscard]] std::string_view name(State state);

// What is told of the end of a call when it has come.
struct Ending {
    std::string by = "local"; // the user; or "refusal", "timer"
    std::uint16_t status = 0; // of the answer that has ended it
    std::string reason = {};
    bool is_told = false; // in other words, before
};

// What becomes of a call that comes in; the same for all of them.
struct Reception {
    std::uint16_t auto_answer = 0; // the final status to answer with at once; 0: it rings
    std::uint32_t no_answer_s = 0; // for how long we let it ring; 0: for ever
};

struct Call {
    Dialog dialog;
    State state = State::idle;

    // While resuming.
    std::uint32_t cseq_base = 0; // the next birth starts above this
    std::uint32_t cseq_seen = 0; // the highest CSeq of ours that an answer has shown
    bool resume_when_ready = false;
    bool hang_up_when_ready = false;
    bool bye_done = false;               // our BYE was answered, or has been tried for long enough
    bool bye_again = false;              // it is the second one
    bool untidy = false;                 // the record still tells of a transaction that is done
    bool unsaved = false;                // it lacks what can wait, see `resume_answered`
    std::int64_t resume_deadline_ms = 0; // on the boot clock
    std::uint32_t resume_window_ms = 32'000;
    std::uint32_t attempts = 0;
    bool settled = true; // the ledger has its line, or needs none

    // The last final answer to an INVITE of ours, for the Ready or Terminated that follows.
    std::uint16_t last_status = 0;
    std::string last_reason;
    bool last_is_local = false; // it was no answer of the peer's, see event::Failed
    std::uint32_t retry_after_s = 0;

    // INFO, OPTIONS and PRACK that the stack has and nobody has answered: see offer_steps.cpp.
    std::uint32_t in_the_way = 0;

    // INFO and OPTIONS that have no answer yet, and the last answer.
    std::uint32_t requests_open = 0;
    std::uint16_t request_status = 0;
    std::string request_reason;
    bool request_is_local = false;
    std::int64_t request_asked_ms = 0; // on the boot clock, of the last one
    std::int64_t refresh_asked_ms = 0; // of a refresh that the user waits for; 0: none

    // What `modifying` goes back to when its offer is refused, and what it offers.
    std::string agreed_sdp;
    bool agreed_hold = false;
    bool offered_hold = false;
    bool offer_waits = false; // modifying: the offer is made when nothing is in the way any more
    bool glare_retry = false; // 491: the offer is made again when the timer fires
    bool refresh_due = false; // when the timer fires: the stack's own timer goes with a re-INVITE

    Ending ending;

    bool answer_heard = false; // in this life, to the offer in our INVITE
    bool offer_in_2xx = false; // to a re-INVITE without one; the answer comes with the ACK

    Reception reception;

    // The peer's offer while alerting.
    RemoteSession offer;
    bool has_offer = false;
    std::vector<Codec> codecs; // ours, in order of preference
};

struct Step {
    Call call;
    std::vector<Effect> effects;
    // Why a user's event did nothing. Network events that mean nothing in a state are no errors.
    base::Status status;
};

[[nodiscard]] Step step(const Call& call, const Event& event, base::Now now);

// What must hold after every step; empty if it does. A violation is a bug of ours.
[[nodiscard]] std::string check(const Call& call);

// A loaded record, ready for event::Restore: takes its block of CSeqs for `epoch`
// (state/README.md, "CSeq").
[[nodiscard]] Call revive(Dialog dialog, std::uint32_t epoch, std::vector<Codec> codecs);

// Whether event::Restore leads to nothing that the peer of that record hears: not for an INVITE
// that is said again, an ACK that may not have left, a BYE that is still due.
[[nodiscard]] bool returns_in_silence(const Dialog& dialog);

// A loaded record's boot times, told in the boot that we are in: those of another one by the wall
// clock. In the same boot the wall-clock deadline follows instead; the wall clock may have stepped.
void move_into_boot(Dialog& dialog, const std::string& boot_id, base::Now now);

inline constexpr std::uint32_t cseq_block = 1000;

} // namespace revenant::call
