// What the call table is made of: every event, and every state, some in more than one form.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

namespace revenant::call {

struct TableEvent {
    std::string note; // what sets it apart from the plain one
    Event event;
};

inline std::vector<TableEvent> table_events() {
    const RemoteSession session = peer_session();
    const RemoteSession hold = peer_session(Direction::sendonly, 2);
    return {
        {"", event::Dial{}},
        {"", event::Answer{}},
        {"", event::Decline{}},
        {"", event::HangUp{}},
        {"", event::Hold{}},
        {"", event::Unhold{}},
        {"", event::SendInfo{.content_type = "text/plain", .body = "x"}},
        {"", event::SendOptions{}},
        {"", event::Resume{}},
        {"", event::Restore{}},
        {"and resume", event::Restore{.resume = true}},
        {"100", event::Progress{.status = 100, .reason = "Trying"}},
        {"180", event::Progress{.status = 180, .reason = "Ringing", .remote_tag = "peer-tag"}},
        {"183 sdp",
         event::Progress{
             .status = 183, .reason = "Progress", .remote_tag = "peer-tag", .answer = session}},
        {"180 reliable", event::Progress{.status = 180,
                                         .reason = "Ringing",
                                         .remote_tag = "peer-tag",
                                         .rseq = 77,
                                         .prack_cseq = 3}},
        {"200 sdp", event::Answered{.cseq = 4001, .facts = peer_facts(), .answer = session}},
        {"200 no sdp", event::Answered{.cseq = 4001, .facts = peer_facts()}},
        {"200 by another",
         event::Answered{
             .cseq = 4001, .by_another = true, .facts = peer_facts(), .answer = session}},
        {"200 useless sdp",
         event::Answered{.cseq = 4001, .facts = peer_facts(), .answer = foreign_session()}},
        {"200 stand-in",
         event::Answered{
             .cseq = 4001, .from_stand_in = true, .facts = peer_facts(), .answer = session}},
        {"401", event::Challenged{.cseq = 4001, .realm = "r", .have_credentials = true}},
        {"401 no credentials", event::Challenged{.cseq = 4001, .realm = "r", .is_over = true}},
        {"401 to BYE, no credentials",
         event::Challenged{.cseq = 4001, .realm = "r", .is_over = true, .method = "BYE"}},
        {"401 to INFO, no credentials",
         event::Challenged{.cseq = 4001, .realm = "r", .is_over = true, .method = "INFO"}},
        {"491", event::Failed{.status = 491, .reason = "Request Pending", .cseq = 4001}},
        {"488", event::Failed{.status = 488, .reason = "Not Acceptable Here", .cseq = 4001}},
        {"503", event::Failed{.status = 503, .reason = "Busy", .cseq = 4001, .retry_after_s = 3}},
        {"481", event::Failed{.status = 481, .reason = "No Such Call", .cseq = 4001}},
        {"no answer",
         event::Failed{.status = 408, .reason = "Timeout", .is_local = true, .cseq = 4001}},
        {"", event::Ready{}},
        {"other sdp", event::Ready{.local_sdp = "v=0\r\nother\r\n"}},
        {"", event::Terminated{.status = 408, .reason = "Timeout"}},
        {"sdp", event::Invited{.offer = session}},
        {"no sdp", event::Invited{}},
        {"useless sdp", event::Invited{.offer = foreign_session()}},
        {"", event::Acked{}},
        {"sdp", event::Acked{.answer = session}},
        {"useless sdp", event::Acked{.answer = foreign_session()}},
        {"", event::Cancelled{}},
        {"re-INVITE", event::Offered{.cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"re-INVITE no sdp", event::Offered{.cseq = 12, .facts = peer_facts()}},
        {"re-INVITE useless sdp",
         event::Offered{.cseq = 12, .facts = peer_facts(), .offer = foreign_session()}},
        {"UPDATE",
         event::Offered{.update = true, .cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"UPDATE no sdp", event::Offered{.update = true, .cseq = 12, .facts = peer_facts()}},
        {"", event::PeerBye{.cseq = 13}},
        {"", event::PeerInfo{.cseq = 14, .content_type = "text/plain", .body = "x"}},
        {"BYE 200", event::RequestDone{.method = "BYE", .status = 200, .cseq = 4001}},
        {"INFO 200",
         event::RequestDone{.method = "INFO", .status = 200, .reason = "OK", .cseq = 4001}},
        {"INFO 481",
         event::RequestDone{
             .method = "INFO", .status = 481, .reason = "No Such Call", .cseq = 4001}},
        {"OPTIONS, no answer", event::RequestDone{.method = "OPTIONS",
                                                  .status = 408,
                                                  .reason = "Timeout",
                                                  .is_local = true,
                                                  .cseq = 4001}},
        {"INFO near the watermark",
         event::RequestDone{
             .method = "INFO", .status = 200, .reason = "OK", .cseq = sample_watermark + 990}},
        {"PRACK 200",
         event::RequestDone{.method = "PRACK", .status = 200, .reason = "OK", .cseq = 3}},
        {"", event::PeerPrack{.text = "PRACK sip:alice@192.0.2.10 SIP/2.0\r\n\r\n"}},
        {"re-INVITE reliable",
         event::Offered{.reliable = true, .cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"", event::RetryDue{}},
        {"", event::RingDue{}},
        {"", event::Quiet{}},
        {"", event::AnsweredBefore{.cseq = 77}},
        {"", event::Directed{.to = {.address = "198.51.100.9", .port = 5070}}},
        {"401", event::Refused{.status = 401, .cseq = 2}},
        {"486", event::Refused{.status = 486, .cseq = 2}},
        {"", event::StoreFailed{.why = "disk full"}},
    };
}

// States that are told apart by more than their name.
inline std::vector<std::pair<std::string, Call>> call_variants() {
    std::vector<std::pair<std::string, Call>> all;
    const auto add = [&](std::string note, State state, auto change) {
        Call call = sample_call(state);
        change(call);
        all.emplace_back(std::move(note), std::move(call));
    };
    const auto refused = [](std::uint16_t status, std::string reason) {
        return [status, reason = std::move(reason)](Call& call) {
            call.last_status = status;
            call.last_reason = reason;
        };
    };
    add("no offer", State::alerting, [](Call& call) { call.has_offer = false; });
    add("held", State::established, [](Call& call) { call.dialog.hold.local = true; });
    add("held by the peer", State::answering, [](Call& call) { call.dialog.hold.remote = true; });
    add("after 491", State::modifying, [](Call& call) {
        call.last_status = 491;
        call.glare_retry = true;
        call.dialog.hold.local = call.agreed_hold;
    });
    add("after 488", State::modifying, refused(488, "Not Acceptable Here"));
    add("to ring on", State::idle, [](Call& call) { call.dialog.phase = Phase::ringing; });
    add("record of a call", State::idle, [](Call& call) {
        call = sample_call(State::established);
        call = revive(call.dialog, 2, our_codecs());
    });
    add("record of an end", State::idle, [](Call& call) {
        call = sample_call(State::ending);
        call = revive(call.dialog, 2, our_codecs());
    });
    add("to resume", State::restoring, [](Call& call) { call.resume_when_ready = true; });
    add("to hang up", State::restoring, [](Call& call) {
        call.hang_up_when_ready = true;
        call.dialog.phase = Phase::ending;
    });
    add("to ask again", State::restoring, [](Call& call) {
        call.attempts = 1;
        call.resume_deadline_ms = sample_now.boot_ms() + 30'000;
    });
    add("after 503", State::resuming, refused(503, "Busy"));
    add("after 481", State::resuming, refused(481, "No Such Call"));
    add("after 404", State::resuming, refused(404, "Not Found"));
    add("after 410", State::resuming, refused(410, "Gone"));
    add("after 488", State::resuming, refused(488, "Not Acceptable Here"));
    add("after 403", State::resuming, refused(403, "Forbidden"));
    add("after 302", State::resuming, refused(302, "Moved"));
    add("after 491", State::resuming, refused(491, "Request Pending"));
    add("after 408", State::resuming, refused(408, "Timeout"));
    add("after 500", State::resuming, refused(500, "Error"));
    add("after 503, Retry-After", State::resuming, [](Call& call) {
        call.last_status = 503;
        call.last_reason = "Busy";
        call.retry_after_s = 3;
    });
    add("after 503, too late", State::resuming, [](Call& call) {
        call.last_status = 503;
        call.last_reason = "Busy";
        call.resume_deadline_ms = sample_now.boot_ms() + 100;
    });
    return all;
}

// An INFO of ours is unanswered, and an offer waits for that.
inline std::vector<std::pair<std::string, Call>> calls_with_info_open() {
    const auto open = [](State state) {
        Call call = sample_call(state);
        call.in_the_way = 1;
        call.requests_open = 1;
        return call;
    };
    std::vector<std::pair<std::string, Call>> all{{"INFO open", open(State::established)},
                                                  {"offer waits", open(State::modifying)}};
    all.back().second.offer_waits = true;
    return all;
}

} // namespace revenant::call
