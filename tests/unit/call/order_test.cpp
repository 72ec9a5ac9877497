// In which order things are done: what is stored before the peer can believe it, and what the
// requests of both ends lead to.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

TEST_CASE("dialling stores the call before the INVITE leaves") {
    Story s = in(State::idle).on(event::Dial{});
    CHECK(stored_before<effect::SendInvite>(s.effects));
    CHECK(s.call.dialog.phase == Phase::inviting);
    CHECK(s.call.dialog.started_ms == sample_now.real_ms());
}

TEST_CASE("answering persists before the 200") {
    Story s = in(State::alerting).on(event::Answer{});
    CHECK(stored_before<effect::Respond>(s.effects));
    CHECK(first<effect::Respond>(s.effects)->status == 200);
    CHECK(s.call.dialog.phase == Phase::answered);
    CHECK(s.call.dialog.remote_sdp == peer_session().text);
    CHECK(s.call.dialog.local_sdp.find("m=audio 20004") != std::string::npos);
}

TEST_CASE("a session is reckoned from our answer on, before its first refresh") {
    Story s = in(State::alerting);
    s.call.dialog.timer = {.interval_s = 1800, .refresher = Refresher::remote};
    s.on(event::Answer{});
    CHECK(s.call.dialog.timer.deadline_ms == sample_now.real_ms() + 1'800'000);
    CHECK(s.call.dialog.boot.deadline_ms == sample_now.boot_ms() + 1'800'000);
}

TEST_CASE("an incoming call is stored before it rings") {
    Story s{.call = new_call(Role::callee), .effects = {}, .status = {}};
    s.on(event::Invited{.offer = peer_session()});
    CHECK(stored_before<effect::Respond>(s.effects));
    CHECK(first<effect::Respond>(s.effects)->status == 180);
    CHECK(s.call.dialog.phase == Phase::ringing);
}

TEST_CASE("a 2xx is stored before it is ACKed") {
    for (const State state : {State::inviting, State::proceeding, State::canceling,
                              State::established, State::modifying, State::resuming}) {
        Story s = in(state).on(ok(4001));
        CAPTURE(name(state));
        CHECK(stored_before<effect::Acknowledge>(s.effects));
    }
}

TEST_CASE("the first 2xx brings tag, target and route set, and what is stored has them") {
    Story s = in(State::inviting).on(ok(2));
    const Dialog& d = s.call.dialog;
    CHECK(d.remote_tag == "peer-tag");
    CHECK(d.remote_target == "sip:bob@198.51.100.7:5062");
    CHECK(d.route_set == std::vector<std::string>{"<sip:proxy.example.org;lr>"});
    CHECK(d.remote_sip == Endpoint{.address = "198.51.100.7", .port = 5062});
    CHECK(d.timer.interval_s == 1800);
    CHECK(d.timer.deadline_ms == sample_now.real_ms() + 1'800'000);
    CHECK(d.boot.deadline_ms == sample_now.boot_ms() + 1'800'000);
    CHECK(d.phase == Phase::established);
    CHECK(d.established_ms == sample_now.real_ms());
    CHECK(d.boot.established_ms == sample_now.boot_ms());
}

TEST_CASE("a later 2xx changes the target but never the route set") {
    event::Answered answer = ok(4001);
    answer.facts.remote_target = "sip:bob@203.0.113.9";
    answer.facts.route_set = {"<sip:other.example.org;lr>"};
    Story s = in(State::established).on(answer);
    CHECK(s.call.dialog.remote_target == "sip:bob@203.0.113.9");
    CHECK(s.call.dialog.route_set.empty());
}

TEST_CASE("a callee that cannot be reached again is hung up on, and nothing of it is stored") {
    event::Answered answer = ok(2);
    answer.fault = "its Contact is no sip: URI";
    for (const State state : {State::inviting, State::proceeding, State::canceling}) {
        Story s = in(state).on(answer);
        CHECK(first<effect::Persist>(s.effects) == nullptr);
        CHECK(first<effect::Acknowledge>(s.effects) != nullptr);
        CHECK(first<effect::SendBye>(s.effects) != nullptr);
        const auto* told = first<effect::Tell>(s.effects);
        REQUIRE(told != nullptr);
        CHECK(told->news == News::failed);
        CHECK(told->detail == "the other end's answer cannot be used: its Contact is no sip: URI");
        CHECK(s.call.state == State::ending);
    }
}

TEST_CASE("a later 2xx with an address that cannot be used leaves the call where it was") {
    event::Answered answer = ok(4001);
    answer.facts.remote_target.clear();
    answer.fault = "its Contact is no sip: URI";
    for (const State state : {State::established, State::modifying, State::resuming}) {
        Story s = in(state);
        const std::string before = s.call.dialog.remote_target;
        s.on(answer);
        CHECK(s.call.dialog.remote_target == before);
        CHECK(s.call.state == State::established);
        const auto is_trouble = [](const Effect& e) {
            const auto* told = std::get_if<effect::Tell>(&e);
            return told != nullptr && told->news == News::trouble;
        };
        CHECK(std::count_if(s.effects.begin(), s.effects.end(), is_trouble) == 1);
    }
}

TEST_CASE("a 2xx without an answer we can use is ACKed, then ended with BYE") {
    for (const event::Answered& bad :
         {event::Answered{.cseq = 2, .facts = peer_facts()},
          event::Answered{.cseq = 2, .facts = peer_facts(), .answer = foreign_session()}}) {
        Story s = in(State::inviting).on(bad);
        CHECK(names_of(s.effects) == "Persist Acknowledge SendBye CloseMedia Tell");
        CHECK(s.call.state == State::ending);
        CHECK(s.call.dialog.phase == Phase::ending);
    }
}

TEST_CASE("a 2xx that crosses the CANCEL is ACKed, then ended with BYE") {
    Story s = in(State::proceeding).on(event::HangUp{});
    CHECK(names_of(s.effects) == "Persist SendCancel");
    s.on(ok(2));
    CHECK(names_of(s.effects) == "Persist Acknowledge SendBye CloseMedia Tell");
    s.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    s.on(event::Terminated{});
    CHECK(s.call.state == State::over);
    CHECK(has<effect::Forget>(s.effects));
}

TEST_CASE("the peer's offer is stored before our 200") {
    for (const bool update : {false, true}) {
        Story s = in(State::established)
                      .on(event::Offered{.update = update,
                                         .cseq = 9,
                                         .facts = peer_facts(),
                                         .offer = peer_session(Direction::sendonly, 2)});
        CHECK(stored_before<effect::Reply>(s.effects));
        CHECK(first<effect::Reply>(s.effects)->status == 200);
        CHECK(first<effect::Reply>(s.effects)->with_sdp);
        CHECK(s.call.dialog.hold.remote);
        CHECK(s.call.dialog.remote_cseq == 9);
        CHECK(direction_of(s.call.dialog.local_sdp) == Direction::recvonly);
    }
}

TEST_CASE("a re-INVITE without an offer gets ours, an UPDATE without one gets none") {
    const Story invite = in(State::established).on(event::Offered{.cseq = 9});
    CHECK(first<effect::Reply>(invite.effects)->with_sdp);
    const Story update = in(State::established).on(event::Offered{.update = true, .cseq = 9});
    CHECK_FALSE(first<effect::Reply>(update.effects)->with_sdp);
}

TEST_CASE("an UPDATE with an offer gets 491 while the ACK is to bring the answer to ours") {
    const event::Offered update{.update = true,
                                .cseq = 10,
                                .facts = peer_facts(),
                                .offer = peer_session(Direction::sendonly, 2)};
    const auto answer_to = [&](Story s) {
        s.on(update);
        return first<effect::Reply>(s.effects)->status;
    };
    Story answering = in(State::answering);
    CHECK(answer_to(answering) == 200);
    answering.call.dialog.remote_sdp.clear(); // its INVITE had none: our 200 was the offer
    CHECK(answer_to(answering) == 491);

    Story asked = in(State::established).on(event::Offered{.cseq = 9}); // a re-INVITE without one
    CHECK(answer_to(asked) == 491);
    CHECK(answer_to(asked.on(event::Acked{.answer = peer_session(Direction::sendrecv, 2)})) == 200);
}

TEST_CASE("an offer that we cannot answer changes nothing and gets 488") {
    const Dialog before = sample_call(State::established).dialog;
    Story s = in(State::established)
                  .on(event::Offered{.cseq = 9, .facts = peer_facts(), .offer = foreign_session()});
    CHECK(names_of(s.effects) == "Reply");
    CHECK(first<effect::Reply>(s.effects)->status == 488);
    CHECK(s.call.dialog == before);
}

TEST_CASE("BYE from the peer removes the record before the 200") {
    for (const State state : all_states) {
        if (state == State::idle || state == State::over) {
            continue;
        }
        CAPTURE(name(state));
        const std::string order = names_of(in(state).on(event::PeerBye{.cseq = 3}).effects);
        REQUIRE(order.find("Forget") != std::string::npos);
        REQUIRE(order.find("RespondBye") != std::string::npos);
        CHECK(order.find("Forget") < order.find("RespondBye"));
        CHECK(order.find("CloseMedia") != std::string::npos);
        CHECK(order.find("StopRetryTimer") != std::string::npos);
    }
}

TEST_CASE("our BYE leaves only after the record says that the call is ending") {
    for (const State state : {State::established, State::modifying, State::restored,
                              State::resuming, State::detour, State::retrying}) {
        CAPTURE(name(state));
        Story s = in(state).on(event::HangUp{});
        CHECK(stored_before<effect::SendBye>(s.effects));
        CHECK(s.call.dialog.phase == Phase::ending);
        CHECK(has<effect::StopRetryTimer>(s.effects));
        CHECK(has<effect::CloseMedia>(s.effects));
    }
}

TEST_CASE("a call whose BYE was under way is not brought back to life but ended") {
    Story s{.call = revive(sample_call(State::ending).dialog, 2, our_codecs()),
            .effects = {},
            .status = {}};
    s.on(event::Restore{.resume = true});
    CHECK(names_of(s.effects) == "Restore");
    s.on(event::Ready{});
    CHECK(names_of(s.effects) == "SendBye CloseMedia");
    s.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    s.on(event::Terminated{});
    CHECK(has<effect::Forget>(s.effects));
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::finished);
}

TEST_CASE("hanging up while the dialog is being rebuilt waits for it") {
    for (const bool is_again : {false, true}) {
        Story s = is_again ? in(State::resuming).on(event::Terminated{}) : in(State::restoring);
        s.on(event::HangUp{});
        CHECK(names_of(s.effects) == "Persist");
        CHECK(s.call.dialog.phase == Phase::ending);
        s.on(event::RetryDue{}).on(event::Ready{});
        CHECK(names_of(s.effects) == "SendBye CloseMedia");
        CHECK(s.call.state == State::ending);
        s.on(event::RetryDue{});
        CHECK(s.effects.empty());
    }
}

TEST_CASE("a re-INVITE goes out only after its description is stored") {
    Story s = in(State::established).on(event::Hold{});
    CHECK(names_of(s.effects) == "Persist Reoffer");
    CHECK(s.call.dialog.in_flight.reoffer);
    CHECK(direction_of(s.call.dialog.local_sdp) == Direction::sendonly);
    CHECK(s.call.dialog.local_sdp ==
          redirect(sample_call(State::established).dialog.local_sdp, Direction::sendonly));
    s.on(ok(4001, Direction::recvonly));
    CHECK(s.call.dialog.hold.local);
    CHECK_FALSE(s.call.dialog.hold.remote);
    CHECK_FALSE(s.call.dialog.in_flight.reoffer);
    s.on(event::Unhold{});
    CHECK(names_of(s.effects) == "Persist Reoffer");
    CHECK(direction_of(s.call.dialog.local_sdp) == Direction::sendrecv);
}

TEST_CASE("hanging up before the ACK waits for it") {
    Story s = in(State::answering).on(event::HangUp{});
    CHECK_FALSE(has<effect::SendBye>(s.effects));
    s.on(event::Ready{});
    CHECK(stored_before<effect::SendBye>(s.effects));
    CHECK(s.call.state == State::ending);
}

TEST_CASE("a BYE that the stack has given up with the dialog is said again, once") {
    // As after a 481 of the stack's own to the peer's re-INVITE that crossed it.
    Story s = in(State::established).on(event::HangUp{}).on(event::Terminated{.status = 481});
    CHECK(s.call.state == State::restoring);
    CHECK(names_of(s.effects) == "Persist Dispose Restore");
    CHECK(s.call.cseq_base >= sample_watermark);
    s.on(event::Ready{});
    CHECK(has<effect::SendBye>(s.effects));
    s.on(event::Terminated{});
    CHECK(s.call.state == State::over);
}

TEST_CASE("a BYE that was tried for its time, or at a closed port, is done") {
    for (const std::uint16_t status : std::vector<std::uint16_t>{408, 503}) {
        Story s = in(State::established).on(event::HangUp{});
        s.on(event::RequestDone{.method = "BYE", .status = status}).on(event::Terminated{});
        CHECK(s.call.state == State::over);
    }
}

TEST_CASE("an old request of the peer's gets 500 and does nothing; INFO is told once") {
    Story s = in(State::established).on(event::PeerInfo{.cseq = 9, .content_type = "a/b"});
    CHECK(names_of(s.effects) == "Persist Reply Tell");
    s.on(event::PeerInfo{.cseq = 9, .content_type = "a/b"});
    CHECK(names_of(s.effects) == "Reply");
    CHECK(first<effect::Reply>(s.effects)->status == 200);
    const Dialog before = s.call.dialog;
    for (const Event& old :
         {Event{event::PeerInfo{.cseq = 8}}, Event{event::PeerBye{.cseq = 8}},
          Event{event::Offered{.cseq = 8, .offer = peer_session(Direction::sendonly)}}}) {
        s.on(old);
        CHECK(names_of(s.effects) == "Reply");
        CHECK(first<effect::Reply>(s.effects)->status == 500);
        CHECK(s.call.dialog == before);
    }
}

TEST_CASE("check() finds what must not be") {
    Call call = sample_call(State::established);
    CHECK(check(call) == "");
    SUBCASE("no number") {
        call.dialog.number = 0;
    }
    SUBCASE("too high a number") {
        call.dialog.number = number_max + 1;
    }
    SUBCASE("no Call-ID") {
        call.dialog.call_id.clear();
    }
    SUBCASE("no local tag") {
        call.dialog.local_tag.clear();
    }
    SUBCASE("no remote tag") {
        call.dialog.remote_tag.clear();
    }
    SUBCASE("no target") {
        call.dialog.remote_target.clear();
    }
    SUBCASE("no description") {
        call.dialog.local_sdp.clear();
    }
    SUBCASE("another phase") {
        call.dialog.phase = Phase::ringing;
    }
    SUBCASE("a birth above the watermark") {
        call = sample_call(State::restoring);
        call.cseq_base = call.dialog.cseq_watermark;
    }
    CHECK(check(call) != "");
}

TEST_CASE("an end without an answer is not told with an old answer's status") {
    Story s = in(State::inviting);
    s.on(event::Challenged{.cseq = 2, .have_credentials = true}).on(ok(3)).on(event::Ready{});
    s.on(event::Terminated{.status = 0, .reason = "session timer"});
    CHECK(first<effect::Tell>(s.effects)->status != 401);
}

TEST_CASE("the stack's refresh by UPDATE is no request of the user's") {
    Story s = in(State::established).on(event::SendInfo{});
    s.on(event::RequestDone{.method = "UPDATE", .status = 200, .cseq = 4001});
    CHECK(s.call.requests_open == 1);
}
