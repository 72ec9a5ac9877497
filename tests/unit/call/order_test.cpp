// In which order things are done: what is stored before the peer can believe it, and what each
// answer leads to.
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

// A call that is taken from event to event.
struct Story {
    Call call;
    std::vector<Effect> effects; // of the last step
    base::Status status;
    base::Now now = sample_now;

    Story& on(const Event& event) {
        Step result = step(call, event, now);
        INFO(name(call.state), " ", name(event));
        CHECK(check(result.call) == "");
        call = std::move(result.call);
        effects = std::move(result.effects);
        status = result.status;
        return *this;
    }

    // As the runner does when the record cannot be stored.
    Story& on_with_full_disk(const Event& event) {
        const Call before = call;
        on(event);
        const auto* persist = first<effect::Persist>(effects);
        REQUIRE(persist != nullptr);
        CHECK((std::holds_alternative<effect::Persist>(effects.front()) ||
               std::holds_alternative<effect::StopRetryTimer>(effects.front())));
        if (persist->otherwise == effect::Otherwise::go_on) {
            return *this;
        }
        call = before;
        effects.clear();
        if (persist->otherwise == effect::Otherwise::report) {
            on(event::StoreFailed{.why = "disk full"});
        }
        return *this;
    }

    void wait_ms(std::int64_t ms) {
        now.boot_ns += ms * 1'000'000;
        now.real_ns += ms * 1'000'000;
    }
};

Story in(State state) {
    return {.call = sample_call(state), .effects = {}, .status = {}};
}

event::Answered ok(std::uint32_t cseq, Direction direction = Direction::sendrecv) {
    return {.cseq = cseq, .facts = peer_facts(), .answer = peer_session(direction)};
}

event::Failed refusal(std::uint16_t status, std::uint32_t cseq = 5002) {
    return {.status = status, .reason = "no", .cseq = cseq};
}

// What leaves a call as it was: all but 481 and 408, and 491, after which the same is asked again.
const std::vector<std::uint16_t> every_refusal{
    300, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407, 410, 412, 413, 414, 415, 416,
    417, 420, 421, 422, 423, 428, 429, 433, 436, 437, 438, 480, 482, 483, 484, 485, 486, 487,
    488, 489, 493, 494, 500, 501, 502, 503, 504, 505, 513, 580, 600, 603, 604, 606, 699};

} // namespace

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

TEST_CASE("an offer that is refused is rolled back") {
    const std::string agreed = sample_call(State::established).dialog.local_sdp;
    for (const std::uint16_t status : every_refusal) {
        CAPTURE(status);
        Story s = in(State::established).on(event::Hold{});
        s.on(refusal(status, 4001));
        CHECK(s.call.state == State::modifying);
        s.on(event::Ready{});
        CHECK(s.call.state == State::established);
        // As agreed, under a version that the refused offer has not had (RFC 3264 §8).
        CHECK(s.call.dialog.local_sdp ==
              redirect(redirect(agreed, Direction::sendonly), Direction::sendrecv));
        CHECK_FALSE(s.call.dialog.hold.local);
        CHECK_FALSE(s.call.dialog.in_flight.reoffer);
        CHECK(has<effect::Persist>(s.effects));
        CHECK(has<effect::Describe>(s.effects)); // else a refresh would offer it once more
        CHECK(first<effect::Tell>(s.effects)->news == News::refused);
        CHECK_FALSE(has<effect::SendBye>(s.effects));
    }
}

TEST_CASE("a refresh of the stack's own that is refused leaves the call up") {
    for (const std::uint16_t status : every_refusal) {
        CAPTURE(status);
        Story s = in(State::established);
        const Dialog before = s.call.dialog;
        s.on(refusal(status, 4001));
        CHECK(first<effect::Tell>(s.effects)->news == News::refused);
        s.on(event::Ready{});
        CHECK(s.call.state == State::established);
        CHECK(s.call.dialog == before);
    }
}

TEST_CASE("481 and 408 from the other end end a call, with BYE; silence does not") {
    for (const std::uint16_t status : std::initializer_list<std::uint16_t>{481, 408}) {
        for (const State state : {State::established, State::modifying}) {
            for (const bool local : {false, true}) {
                CAPTURE(status);
                CAPTURE(name(state));
                event::Failed failed = refusal(status, 4001);
                failed.is_local = local;
                Story s = in(state).on(failed);
                CHECK(has<effect::SendBye>(s.effects) == !local);
                CHECK((s.call.state == State::ending) == !local);
                Story other = in(state)
                                  .on(event::SendOptions{})
                                  .on(event::RequestDone{.method = "OPTIONS",
                                                         .status = status,
                                                         .is_local = local,
                                                         .cseq = 4001});
                CHECK(has<effect::SendBye>(other.effects) == !local);
                CHECK(other.call.requests_open == 0);
                if (local) {
                    continue;
                }
                CHECK(stored_before<effect::SendBye>(s.effects));
                CHECK(s.call.dialog.phase == Phase::ending);
                s.on(event::Ready{}); // of the re-INVITE
                CHECK(s.call.state == State::ending);
                s.on(event::RequestDone{.method = "BYE", .status = 481, .cseq = 4002});
                s.on(event::Terminated{.status = 481});
                CHECK(first<effect::Tell>(s.effects)->detail == "refusal");
                CHECK(first<effect::Tell>(s.effects)->status == status);
            }
        }
    }
}

TEST_CASE("no answer to an INFO or OPTIONS but these ends a call") {
    for (const std::uint16_t status : every_refusal) {
        CAPTURE(status);
        Story s = in(State::established)
                      .on(event::SendInfo{})
                      .on(event::RequestDone{
                          .method = "INFO", .status = status, .reason = "no", .cseq = 4001});
        CHECK(s.call.state == State::established);
        CHECK(names_of(s.effects) == "Tell");
    }
}

TEST_CASE("what waits for credentials that nobody has is refused, and the user may ask again") {
    const event::Challenged over{.cseq = 4001, .realm = "r", .is_over = true};
    Story s = in(State::established).on(event::Hold{}).on(over).on(event::Ready{});
    CHECK(s.call.state == State::established);
    CHECK(first<effect::Tell>(s.effects)->detail.find("`key`") != std::string::npos);
    s.on(event::Hold{});
    CHECK(s.status);
    CHECK(has<effect::Reoffer>(s.effects));

    event::Challenged info = over;
    info.method = "INFO";
    s = in(State::established).on(event::SendInfo{}).on(info);
    CHECK(s.call.requests_open == 0);
    CHECK(s.call.request_status == 401);
    CHECK(s.call.state == State::established);
}

TEST_CASE("a BYE ends the call whatever it is answered (RFC 3261 15.1.1)") {
    Story s = in(State::established).on(event::HangUp{});
    SUBCASE("a challenge that nobody can answer") {
        s.on(event::Challenged{.cseq = 4001, .realm = "r", .is_over = true, .method = "BYE"});
        CHECK_FALSE(has<effect::Tell>(s.effects));
    }
    SUBCASE("403") {
        s.on(event::RequestDone{.method = "BYE", .status = 403, .cseq = 4001});
    }
    SUBCASE("500") {
        s.on(event::RequestDone{.method = "BYE", .status = 500, .cseq = 4001});
    }
    SUBCASE("nothing") {
        s.on(event::RequestDone{.method = "BYE", .status = 408, .is_local = true, .cseq = 4001});
    }
    s.on(event::Terminated{.status = 401});
    CHECK(s.call.state == State::over);
    CHECK(has<effect::Forget>(s.effects));
    CHECK(first<effect::Tell>(s.effects)->detail == "local");
}

TEST_CASE("after a refused re-INVITE the session is refreshed in time, or ended when it expires") {
    Story s = in(State::established);
    s.call.dialog.timer = {.interval_s = 1800,
                           .min_se_s = 90,
                           .refresher = Refresher::local,
                           .deadline_ms = s.now.real_ms() + 1'500'000};
    s.call.dialog.boot.deadline_ms = s.now.boot_ms() + 1'500'000;
    s.on(event::Hold{}).on(refusal(488, 4001)).on(event::Ready{});
    REQUIRE(has<effect::StartRetryTimer>(s.effects)); // when half of the interval is over
    CHECK(first<effect::StartRetryTimer>(s.effects)->delay_ms == 600'000);
    s.wait_ms(600'000);
    s.on(event::RetryDue{});
    CHECK(names_of(s.effects) == "Reoffer");
    SUBCASE("which the other end takes") {
        s.on(ok(4002)).on(event::Ready{}).on(event::RetryDue{});
        CHECK(s.effects.empty());
        CHECK(s.call.state == State::established);
    }
    SUBCASE("which it refuses until the end") {
        s.on(refusal(500, 4002)).on(event::Ready{});
        CHECK(first<effect::StartRetryTimer>(s.effects)->delay_ms == 30'000);
        std::uint32_t cseq = 4003;
        while (s.call.state != State::ending) {
            REQUIRE(cseq < 4100);
            s.wait_ms(first<effect::StartRetryTimer>(s.effects)->delay_ms);
            s.on(event::RetryDue{});
            if (s.call.state == State::modifying) {
                s.on(refusal(500, cseq++)).on(event::Ready{});
            }
        }
        CHECK(s.now.boot_ms() == s.call.dialog.boot.deadline_ms);
        CHECK(stored_before<effect::SendBye>(s.effects));
        s.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = 4100});
        s.on(event::Terminated{.status = 200});
        CHECK(first<effect::Tell>(s.effects)->detail == "timer");
    }
}

TEST_CASE("after a refused hold the peer still has to refresh in time, if it is the one to do so") {
    Story s = in(State::established);
    s.call.dialog.timer = {.interval_s = 90,
                           .min_se_s = 90,
                           .refresher = Refresher::remote,
                           .deadline_ms = s.now.real_ms() + 50'000};
    s.call.dialog.boot.deadline_ms = s.now.boot_ms() + 50'000;
    s.on(event::Hold{}).on(refusal(488, 4001)).on(event::Ready{});
    REQUIRE(has<effect::StartRetryTimer>(s.effects));
    CHECK(first<effect::StartRetryTimer>(s.effects)->delay_ms == 20'000);
    s.wait_ms(20'000);
    SUBCASE("it has not") {
        s.on(event::RetryDue{});
        CHECK(stored_before<effect::SendBye>(s.effects));
        CHECK(s.call.ending.by == "timer");
    }
    SUBCASE("it has") {
        s.on(event::Offered{.cseq = 9, .facts = peer_facts()}).on(event::Ready{});
        s.on(event::RetryDue{});
        CHECK(s.effects.empty());
    }
}

TEST_CASE("hanging up before the ACK waits for it") {
    Story s = in(State::answering).on(event::HangUp{});
    CHECK_FALSE(has<effect::SendBye>(s.effects));
    s.on(event::Ready{});
    CHECK(stored_before<effect::SendBye>(s.effects));
    CHECK(s.call.state == State::ending);
}

TEST_CASE("after 491 the same offer is made again, later, and by the owner of the Call-ID later") {
    for (const Role role : {Role::caller, Role::callee}) {
        for (const std::uint32_t ssrc : {0U, 189U, 190U, 0xFFFFFFFFU}) {
            Story s = in(State::established);
            s.call.dialog.role = role;
            s.call.dialog.media.ssrc = ssrc;
            s.on(event::Hold{});
            const std::string offered = s.call.dialog.local_sdp;
            s.on(refusal(491, 4001));
            REQUIRE(has<effect::StartRetryTimer>(s.effects));
            const std::uint32_t delay = first<effect::StartRetryTimer>(s.effects)->delay_ms;
            CHECK(delay >= (role == Role::caller ? 2100U : 0U));
            CHECK(delay <= (role == Role::caller ? 4000U : 2000U));
            s.on(event::Ready{});
            CHECK(s.call.state == State::established);
            s.on(event::RetryDue{});
            CHECK(s.call.state == State::modifying);
            CHECK(stored_before<effect::Reoffer>(s.effects));
            CHECK(direction_of(s.call.dialog.local_sdp) == Direction::sendonly);
            CHECK(s.call.dialog.local_sdp != offered); // but for the version
        }
    }
}

TEST_CASE("what was stored comes back: restore, then one armed re-INVITE") {
    Story s{.call = revive(sample_call(State::established).dialog, 2, our_codecs()),
            .effects = {},
            .status = {}};
    s.on(event::Restore{});
    CHECK(names_of(s.effects) == "Restore");
    s.on(event::Answered{.cseq = 5001, .from_stand_in = true, .facts = peer_facts()});
    CHECK(names_of(s.effects) == "AcknowledgeStandIn");
    s.on(event::Ready{});
    CHECK(s.call.state == State::restored);
    CHECK_FALSE(has<effect::Arm>(s.effects));
    s.on(event::Resume{});
    CHECK(names_of(s.effects) == "RunMedia Arm Tell");
    s.on(ok(5002));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
    CHECK(s.call.state == State::established);
}

TEST_CASE("the stand-in's answer never enters the dialog") {
    Story s = in(State::restoring);
    const Dialog before = s.call.dialog;
    event::Answered answer = ok(5001);
    answer.from_stand_in = true;
    answer.facts.remote_target = "sip:stand-in@127.0.0.1";
    s.on(answer);
    CHECK(s.call.dialog == before);
}

TEST_CASE("to resume from the start, media run before the dialog is rebuilt") {
    Story s{.call = revive(sample_call(State::established).dialog, 2, our_codecs()),
            .effects = {},
            .status = {}};
    s.on(event::Restore{.resume = true});
    CHECK(names_of(s.effects) == "RunMedia Restore");
    s.on(event::Ready{});
    CHECK(s.call.state == State::resuming);
    CHECK(has<effect::Arm>(s.effects));
}

TEST_CASE("481, 404 and 410 to the armed re-INVITE end the call with BYE, and then its record") {
    for (const std::uint16_t status : std::initializer_list<std::uint16_t>{481, 404, 410}) {
        Story s = in(State::resuming).on(refusal(status)).on(event::Ready{});
        CHECK(s.call.state == State::ending);
        CHECK(stored_before<effect::SendBye>(s.effects));
        CHECK(has<effect::CloseMedia>(s.effects));
        CHECK(first<effect::Tell>(s.effects)->news == News::gone);
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::finished);
        s.on(event::RequestDone{.method = "BYE", .status = 481, .cseq = 5003});
        s.on(event::Terminated{.status = 481});
        CHECK(s.call.state == State::over);
        CHECK(has<effect::Forget>(s.effects));
        CHECK_FALSE(has<effect::Tell>(s.effects)); // it has been told
    }
}

TEST_CASE("after 503 or silence the dialog waits, answers, and the peer is asked again") {
    for (const std::uint16_t status :
         std::initializer_list<std::uint16_t>{503, 500, 504, 408, 480, 502}) {
        CAPTURE(status);
        Story s = in(State::resuming).on(refusal(status)).on(event::Ready{});
        CHECK(s.call.state == State::retrying);
        CHECK(names_of(s.effects) == "StartRetryTimer Tell");
        Story asked = s;
        asked.on(event::Offered{.cseq = 99, .facts = peer_facts(), .offer = peer_session()});
        CHECK(first<effect::Reply>(asked.effects)->status == 200);
        s.on(event::RetryDue{});
        CHECK(s.call.state == State::resuming);
        CHECK(names_of(s.effects) == "RunMedia Arm");
    }
}

TEST_CASE("a dialog that the stack gives up is made anew at once, and asks when it is time") {
    Story s = in(State::resuming);
    const std::uint32_t base = s.call.cseq_base;
    s.on(event::Terminated{});
    CHECK(s.call.state == State::restoring);
    CHECK(names_of(s.effects) == "Dispose Restore StartRetryTimer Tell");
    CHECK(s.call.cseq_base >= base + 100);
    Story early = s;
    early.on(event::RetryDue{}).on(event::Ready{});
    CHECK(has<effect::Arm>(early.effects));
    s.on(event::Ready{});
    CHECK(s.call.state == State::retrying);
    CHECK_FALSE(has<effect::Arm>(s.effects));
    s.on(event::RetryDue{});
    CHECK(has<effect::Arm>(s.effects));
}

TEST_CASE(
    "re-INVITEs that nobody answers are counted, and more numbers stored before they run out") {
    Story s = in(State::resuming);
    s.call.resume_deadline_ms = s.now.boot_ms() + 1'000'000'000;
    std::uint32_t sent = s.call.cseq_base + 2;
    for (int i = 0; i < 1100; ++i) {
        event::Failed nobody = refusal(503);
        nobody.cseq = 0;
        s.on(nobody).on(event::Ready{}).on(event::RetryDue{});
        sent += 1;
        REQUIRE(sent < s.call.dialog.cseq_watermark);
        const bool is_stored = has<effect::Persist>(s.effects);
        CHECK((!is_stored || stored_before<effect::Arm>(s.effects)));
    }
}

TEST_CASE("the stack's refreshes in quarantine are counted as well") {
    Story s = in(State::restored);
    const std::uint32_t watermark = s.call.dialog.cseq_watermark;
    s.on(event::Answered{.cseq = watermark - 10, .from_stand_in = true});
    CHECK(names_of(s.effects) == "Persist AcknowledgeStandIn");
    CHECK(s.call.dialog.cseq_watermark > watermark);
}

TEST_CASE("Retry-After is kept, otherwise the wait doubles up to four seconds") {
    Story s = in(State::resuming);
    s.call.resume_deadline_ms = s.now.boot_ms() + 1'000'000;
    event::Failed busy = refusal(503);
    busy.retry_after_s = 7;
    s.on(busy).on(event::Ready{});
    CHECK(first<effect::StartRetryTimer>(s.effects)->delay_ms == 7000);
    std::vector<std::uint32_t> waits;
    for (int i = 0; i < 6; ++i) {
        s.on(event::RetryDue{}).on(refusal(503)).on(event::Ready{});
        waits.push_back(first<effect::StartRetryTimer>(s.effects)->delay_ms);
    }
    CHECK(waits == std::vector<std::uint32_t>{1000, 2000, 4000, 4000, 4000, 4000});
}

TEST_CASE("after the deadline the call is said to be lost but stays in quarantine") {
    Story s = in(State::resuming).on(refusal(503));
    s.wait_ms(31'000);
    Story given_up = s;
    s.on(event::Ready{});
    CHECK(s.call.state == State::restored);
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::lost);
    CHECK_FALSE(has<effect::Forget>(s.effects));
    given_up.on(event::Terminated{});
    CHECK(names_of(given_up.effects) == "Dispose Restore Tell Settle");
    given_up.on(event::Ready{});
    CHECK(given_up.call.state == State::restored);
    s.on(event::Resume{});
    CHECK(has<effect::Arm>(s.effects));
    s.on(ok(5200));
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
}

TEST_CASE("488, 403 and other refusals leave the call alive") {
    for (const std::uint16_t status :
         std::initializer_list<std::uint16_t>{488, 403, 486, 603, 302}) {
        CAPTURE(status);
        Story s = in(State::resuming).on(refusal(status)).on(event::Ready{});
        CHECK(s.call.state == State::established);
        CHECK(has<effect::Lift>(s.effects));
        CHECK(stored_before<effect::Lift>(s.effects));
        CHECK_FALSE(has<effect::SendBye>(s.effects));
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
    }
}

TEST_CASE("491 to the armed re-INVITE arms another, after the RFC's delay") {
    Story s = in(State::resuming).on(refusal(491)).on(event::Ready{});
    CHECK(s.call.state == State::retrying);
    const std::uint32_t delay = first<effect::StartRetryTimer>(s.effects)->delay_ms;
    CHECK(delay >= 2100);
    CHECK(delay <= 4000);
    s.on(event::RetryDue{});
    CHECK(s.call.state == State::resuming);
    CHECK(has<effect::Arm>(s.effects));
}

TEST_CASE("a peer that goes on asking at its own pace is not met at ours for ever") {
    Story s = in(State::resuming);
    s.call.dialog.role = Role::callee;
    std::set<std::uint32_t> delays;
    for (std::uint32_t cseq = 5002; cseq < 5012; ++cseq) {
        s.on(refusal(491, cseq)).on(event::Ready{});
        delays.insert(first<effect::StartRetryTimer>(s.effects)->delay_ms);
        s.on(event::RetryDue{});
    }
    CHECK(delays.size() > 5);
    CHECK(*delays.rbegin() <= 2000);
}

TEST_CASE("the stack's own retry ends at the stand-in, and the re-INVITE is armed again") {
    Story s = in(State::resuming);
    s.on(event::Answered{.cseq = 5003, .from_stand_in = true, .facts = peer_facts()});
    CHECK(s.call.state == State::detour);
    CHECK(names_of(s.effects) == "AcknowledgeStandIn");
    s.on(event::Ready{});
    CHECK(s.call.state == State::resuming);
    CHECK(has<effect::Arm>(s.effects));
}

TEST_CASE("second births use CSeqs above everything before") {
    Story s = in(State::resuming);
    s.call.resume_deadline_ms = s.now.boot_ms() + 100'000'000;
    std::uint32_t highest = 0;
    std::uint32_t stored = s.call.dialog.cseq_watermark;
    for (int birth = 0; birth < 60; ++birth) {
        const std::uint32_t armed = s.call.cseq_base + 2; // the stand-in had the one before
        CHECK(armed > highest);
        highest = armed;
        CHECK(highest <= stored); // reserved on disk before it is used
        s.on(refusal(503, armed));
        s.on(event::Terminated{});
        if (has<effect::Persist>(s.effects)) {
            stored = s.call.dialog.cseq_watermark;
        }
        CHECK(s.call.dialog.cseq_watermark == stored);
        s.on(event::RetryDue{}).on(event::Ready{});
    }
}

TEST_CASE("a CSeq near the watermark is followed by a stored reserve") {
    for (const std::uint32_t below : {1000U, 51U, 50U, 49U, 0U}) {
        Story s = in(State::established);
        const std::uint32_t cseq = sample_watermark - below;
        s.on(event::RequestDone{.method = "INFO", .status = 200, .cseq = cseq});
        CAPTURE(below);
        CHECK(has<effect::Persist>(s.effects) == (below < 50));
        CHECK(s.call.dialog.cseq_watermark >= cseq + 50);
    }
}

TEST_CASE("disk full: dialling abandons before anything is sent") {
    Story s = in(State::idle).on_with_full_disk(event::Dial{});
    CHECK(s.effects.empty());
    CHECK(s.call.state == State::idle);
}

TEST_CASE("disk full: answering and holding leave the call as it was") {
    CHECK(in(State::alerting).on_with_full_disk(event::Answer{}).call.state == State::alerting);
    const Story s = in(State::established).on_with_full_disk(event::Hold{});
    CHECK(s.effects.empty());
    CHECK(s.call.state == State::established);
    CHECK_FALSE(s.call.dialog.hold.local);
}

TEST_CASE("disk full: a 2xx is ACKed and ended with BYE") {
    Story s = in(State::inviting).on_with_full_disk(ok(2));
    CHECK(names_of(s.effects) == "Acknowledge SendBye CloseMedia Tell");
    CHECK(s.call.state == State::ending);
    s.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = 3});
    s.on(event::Terminated{});
    CHECK(has<effect::Forget>(s.effects));
}

TEST_CASE("disk full: a peer's re-INVITE gets 500 and changes nothing") {
    const Dialog before = sample_call(State::established).dialog;
    Story s =
        in(State::established)
            .on_with_full_disk(event::Offered{
                .cseq = 9, .facts = peer_facts(), .offer = peer_session(Direction::sendonly)});
    CHECK(names_of(s.effects) == "Reply Tell");
    CHECK(first<effect::Reply>(s.effects)->status == 500);
    CHECK(s.call.dialog == before);
}

TEST_CASE("disk full: a call that comes in gets 500") {
    Story s{.call = new_call(Role::callee), .effects = {}, .status = {}};
    s.on_with_full_disk(event::Invited{.offer = peer_session()});
    CHECK(names_of(s.effects) == "Respond CloseMedia Tell");
    CHECK(first<effect::Respond>(s.effects)->status == 500);
    CHECK(s.call.state == State::over);
}

TEST_CASE("disk full: hanging up and coming back go on") {
    CHECK(has<effect::SendBye>(in(State::established).on_with_full_disk(event::HangUp{}).effects));
    CHECK(has<effect::Acknowledge>(in(State::resuming).on_with_full_disk(ok(5002)).effects));
}

TEST_CASE(
    "a ringing call of an earlier version, which stored too little of it, is said to be lost") {
    for (const Phase phase : {Phase::inviting, Phase::ringing}) {
        Dialog record = new_call(Role::callee).dialog;
        record.phase = phase;
        record.in_flight = {};
        Story s{.call = revive(record, 2, our_codecs()), .effects = {}, .status = {}};
        s.on(event::Restore{.resume = true});
        CHECK(s.call.state == State::over);
        CHECK(names_of(s.effects) == "Settle Forget CloseMedia");
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::lost);
    }
}

// ---- Ringing and unacknowledged calls, after a restart ----

namespace {

Story revived(const Call& call) {
    return {.call = revive(call.dialog, 2, our_codecs()), .effects = {}, .status = {}};
}

event::Offered stored_invite() {
    return {.cseq = 1, .facts = peer_facts(), .offer = peer_session()};
}

} // namespace

TEST_CASE(
    "a ringing caller sends the same INVITE again, with neither the peer's tag nor a new CSeq") {
    Call call = sample_call(State::proceeding);
    call.dialog.remote_tag = "from-180";
    Story s = revived(call).on(event::Restore{});
    CHECK(s.call.state == State::inviting);
    CHECK(names_of(s.effects) == "RepeatInvite Tell");
    CHECK(s.call.dialog.remote_tag.empty());
    CHECK(s.call.dialog.in_flight.cseq == call.dialog.in_flight.cseq);
    s.on(ok(2));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
    CHECK(s.call.state == State::established);
}

TEST_CASE("a call that was being canceled is canceled again") {
    Story s = revived(in(State::proceeding).on(event::HangUp{}).call).on(event::Restore{});
    CHECK(s.call.state == State::canceling);
    CHECK(names_of(s.effects) == "RepeatInvite SendCancel Tell");
}

TEST_CASE("before a refusal is acknowledged, the record says which INVITE comes next, or goes") {
    for (const std::uint16_t status : std::vector<std::uint16_t>{401, 407, 422}) {
        Story s = in(State::inviting).on(event::Refused{.status = status, .cseq = 2});
        CHECK(names_of(s.effects) == "Persist");
        CHECK(s.call.dialog.in_flight.cseq == 3);
        s = in(State::inviting).on(event::Refused{.status = status, .cseq = 2, .next_cseq = 5});
        CHECK(s.call.dialog.in_flight.cseq == 5); // a PRACK had another
    }
    for (const std::uint16_t status : std::vector<std::uint16_t>{302, 404, 486, 487, 503, 603}) {
        Story s = in(State::proceeding).on(event::Refused{.status = status, .cseq = 2});
        CHECK(names_of(s.effects) == "Forget");
    }
    Story s = in(State::canceling).on(event::Refused{.status = 401, .cseq = 2});
    CHECK(names_of(s.effects) == "Forget"); // nobody wants it repeated
    s = in(State::modifying).on(event::Refused{.status = 491, .cseq = 4001});
    CHECK(s.effects.empty()); // the dialog lives on
}

TEST_CASE("an answer without a tag makes no call") {
    event::Answered answered = ok(2);
    answered.facts.remote_tag.clear();
    Story s = in(State::inviting).on(answered);
    CHECK(names_of(s.effects) == "Forget Acknowledge SendBye CloseMedia Tell");
    CHECK(s.call.state == State::ending);
}

TEST_CASE("what rings here rings on: 180, and the user's answer as if nothing had happened") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{.resume = true});
    CHECK(names_of(s.effects) == "Restore");
    s.on(event::Ready{});
    CHECK(names_of(s.effects) == "Replay");
    s.on(stored_invite());
    CHECK(names_of(s.effects) == "Respond Tell Settle");
    CHECK(first<effect::Respond>(s.effects)->status == 180);
    s.on(event::Answer{});
    CHECK(names_of(s.effects) == "Persist Respond RunMedia");
}

TEST_CASE("what rings here over a connection that is gone is lost, and no record of it stays") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{.can_hear_caller = false});
    CHECK(names_of(s.effects) == "Settle Forget CloseMedia");
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::lost);
    CHECK(first<effect::Settle>(s.effects)->reason.find("connection") != std::string::npos);
}

TEST_CASE("an answer that was not acknowledged is given again, and nothing else") {
    Call call = sample_call(State::answering);
    call.dialog.boot.established_ms = sample_now.boot_ms() - 31'000;
    Story s = revived(call).on(event::Restore{}).on(event::Ready{}).on(stored_invite());
    CHECK(names_of(s.effects) == "Respond RunMedia");
    CHECK(s.call.dialog.local_sdp == call.dialog.local_sdp);
    s.on(event::Ready{});
    CHECK(s.call.state == State::established);
    CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
}

TEST_CASE(
    "an answer is not repeated when the peer is as sure as it will be, nor to a lost connection") {
    Call call = sample_call(State::answering);
    event::Restore restore;
    SUBCASE("after 32 s") {
        call.dialog.boot.established_ms = sample_now.boot_ms() - 33'000;
    }
    SUBCASE("its connection is gone") {
        call.dialog.boot.established_ms = sample_now.boot_ms() - 10;
        restore.can_hear_caller = false;
    }
    Story s = revived(call).on(restore).on(event::Ready{});
    CHECK(s.call.state == State::restored);
    CHECK_FALSE(has<effect::AcknowledgeAgain>(s.effects)); // there was no 2xx to us
}

TEST_CASE("a refusal that was not acknowledged is given again, and does not ring") {
    Story s = revived(in(State::alerting).on(event::Decline{.status = 603}).call);
    s.on(event::Restore{}).on(event::Ready{}).on(stored_invite());
    CHECK(names_of(s.effects) == "Respond");
    CHECK(first<effect::Respond>(s.effects)->status == 603);
    s.on(event::Ready{});
    CHECK(names_of(s.effects) == "Forget CloseMedia Settle");
}

TEST_CASE("hanging up a call that is just coming back to ring refuses it") {
    Story s = revived(sample_call(State::alerting)).on(event::Restore{}).on(event::HangUp{});
    s.on(event::Ready{}).on(stored_invite());
    CHECK(first<effect::Respond>(s.effects)->status == 486);
}

TEST_CASE("the record says canceled before the caller hears 200 to its CANCEL") {
    Story s = in(State::alerting).on(event::Cancelled{});
    CHECK(names_of(s.effects) == "Persist Tell");
    CHECK(s.call.dialog.in_flight.status == 487);
    s.on(event::Cancelled{}); // the stack's own word, later
    CHECK(s.effects.empty());
    s.on(event::Terminated{.status = 487});
    CHECK(s.call.state == State::over);
}

TEST_CASE("a 2xx whose ACK may not have left is acknowledged before anything else is sent") {
    Story first_life = in(State::inviting).on(ok(2));
    SUBCASE("a kill right then") {
        Story s = revived(first_life.call).on(event::Restore{.resume = true}).on(event::Ready{});
        CHECK(names_of(s.effects).starts_with("AcknowledgeAgain RunMedia Arm"));
        CHECK(first<effect::AcknowledgeAgain>(s.effects)->cseq == 2);
    }
    SUBCASE("a kill later") {
        first_life.on(event::Ready{});
        CHECK(names_of(first_life.effects) == "PersistSoon");
        first_life.on(event::Quiet{});
        CHECK(names_of(first_life.effects) == "Persist");
        Story s = revived(first_life.call).on(event::Restore{.resume = true}).on(event::Ready{});
        CHECK_FALSE(has<effect::AcknowledgeAgain>(s.effects));
    }
}

// The record as the last life left it: the peer's answer to the re-INVITE is stored.
Dialog resumed_once() {
    Story s = revived(sample_call(State::established));
    s.on(event::Restore{.resume = true}).on(event::Ready{}).on(ok(5002));
    return s.call.dialog;
}

Story asks_again(const Dialog& record) {
    Story s{.call = revive(record, 3, our_codecs()), .effects = {}, .status = {}};
    return s.on(event::Restore{.resume = true}).on(event::Ready{});
}

TEST_CASE("an answer that changes nothing is stored when the peers do not wait for it") {
    const Dialog record = resumed_once();
    Story s = asks_again(record);
    const event::Answered answer = ok(s.call.cseq_base + 2);
    s.on(answer);
    CHECK(names_of(s.effects) == "PersistSoon Acknowledge RunMedia Tell Settle");
    SUBCASE("then it is") {
        const Dialog now = s.call.dialog;
        s.on(event::Quiet{});
        CHECK(names_of(s.effects) == "Persist");
        CHECK(s.call.dialog == now);
        CHECK(s.on(event::Quiet{}).effects.empty());
    }
    SUBCASE("a kill before that, and the next life begins above what was sent") {
        CHECK(revive(record, 4, our_codecs()).cseq_base > answer.cseq);
    }
    SUBCASE("a call that is being hung up has its record already") {
        s.on(event::HangUp{});
        CHECK(has<effect::Persist>(s.effects));
        CHECK(s.on(event::Quiet{}).effects.empty());
    }
}

TEST_CASE("an answer that changes anything else is stored before it is acknowledged") {
    Dialog record = resumed_once();
    SUBCASE("the target") {
        record.remote_target = "sip:bob@198.51.100.9";
    }
    SUBCASE("where it comes from") {
        record.remote_sip.port = 5099;
    }
    SUBCASE("the description") {
        record.remote_sdp += "a=x\r\n";
    }
    SUBCASE("the session timer") {
        record.timer.interval_s = 90;
    }
    SUBCASE("an offer that was in flight") {
        record.in_flight.reoffer = true;
    }
    SUBCASE("an answer of ours that the peer had not acknowledged") {
        record.role = Role::callee;
        record.in_flight.invite = "INVITE";
        record.in_flight.cseq = 1;
    }
    Story s = asks_again(record);
    s.on(ok(s.call.cseq_base + 2));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
    CHECK(s.call.dialog.in_flight == InFlight{});
    CHECK(s.on(event::Quiet{}).effects.empty());
}

TEST_CASE("numbers for more requests are reserved before the ACK") {
    Story s = asks_again(resumed_once());
    s.on(ok(s.call.dialog.cseq_watermark - 1));
    CHECK(names_of(s.effects) == "Persist Acknowledge RunMedia Tell Settle");
}

TEST_CASE("a 2xx to an INVITE of an earlier life is acknowledged, in every state") {
    for (const State state : all_states) {
        Story s = in(state).on(event::AnsweredBefore{.cseq = 77});
        const bool exists = state != State::idle && state != State::over;
        CHECK(names_of(s.effects) == (exists ? "AcknowledgeAgain" : ""));
        CHECK(s.call.state == state);
    }
}

TEST_CASE("the peer's own offer, accepted after a restart, brings the call back as ours would") {
    for (const State state : {State::restored, State::retrying}) {
        Story s = in(state).on(event::Offered{.cseq = 9, .offer = peer_session()});
        CHECK(s.call.state == State::established);
        CHECK(has<effect::Lift>(s.effects));
        CHECK(first<effect::Settle>(s.effects)->verdict == Verdict::survived);
    }
}

TEST_CASE("a 2xx that nobody can read is acknowledged, and the call ended with BYE") {
    for (const State state : {State::resuming, State::established, State::modifying}) {
        Story s = in(state).on(event::Answered{.cseq = 5002, .answer = RemoteSession{}});
        CHECK(first<effect::AcknowledgeAgain>(s.effects)->cseq == 5002);
        CHECK(stored_before<effect::AcknowledgeAgain>(s.effects));
        CHECK(s.call.state == State::restoring);
        s.on(event::Ready{});
        CHECK(has<effect::SendBye>(s.effects));
        CHECK(s.call.state == State::ending);
    }
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

TEST_CASE("revive() takes the next block of CSeqs, whatever was written before") {
    Dialog record = sample_call(State::established).dialog; // watermark 5000, epoch 1
    SUBCASE("the next start") {
        const Call call = revive(record, 2, our_codecs());
        CHECK(call.cseq_base == 5000);
        CHECK(call.dialog.cseq_watermark == 6000);
        CHECK(call.dialog.epoch == 2);
        CHECK(call.dialog.resumes == record.resumes + 1);
        CHECK_FALSE(call.settled);
    }
    SUBCASE("three starts on, none of which wrote the record") {
        CHECK(revive(record, 4, our_codecs()).cseq_base == 7000);
        CHECK(revive(record, 4, our_codecs()).dialog.cseq_watermark == 8000);
    }
    SUBCASE("with records written in some of them") {
        std::uint32_t used = record.cseq_watermark;
        for (std::uint32_t epoch = 2; epoch < 20; ++epoch) {
            const Call call = revive(record, epoch, our_codecs());
            CHECK(call.cseq_base >= used); // above all that any earlier start may have sent
            used = call.dialog.cseq_watermark;
            if (epoch % 3 == 0) {
                record = call.dialog;
            }
        }
    }
    SUBCASE("an epoch that is not later (a copied state directory) goes up all the same") {
        record.epoch = 9;
        CHECK(revive(record, 9, our_codecs()).cseq_base == 5000);
        CHECK(revive(record, 3, our_codecs()).cseq_base == 5000);
    }
    SUBCASE("never at or above 2^31") {
        record.cseq_watermark = 0x7FFFFFFF;
        const Call call = revive(record, 0xFFFFFFFF, our_codecs());
        CHECK(call.dialog.cseq_watermark < 0x80000000U);
        CHECK(call.cseq_base + cseq_block == call.dialog.cseq_watermark);
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

TEST_CASE("a hold that cannot be authenticated is rolled back") {
    Story s = in(State::established).on(event::Hold{});
    s.on(event::Challenged{.cseq = 4001, .is_over = true});
    s.on(event::Ready{});
    CHECK(s.call.state == State::established);
    CHECK_FALSE(s.call.dialog.hold.local);
}

// ---- Found by review of the table ----

TEST_CASE("after many glares in one birth the next birth is still above all that was sent") {
    Story s = in(State::resuming);
    s.call.resume_deadline_ms = s.now.boot_ms() + 100'000'000;
    std::uint32_t armed = s.call.cseq_base + 2;
    for (int i = 0; i < 150; ++i) {
        s.on(refusal(491, armed)).on(event::Ready{}).on(event::RetryDue{});
        ++armed;
    }
    s.on(refusal(503, armed)).on(event::Terminated{});
    CHECK(s.call.cseq_base >= armed);
}

TEST_CASE("a CSeq near the watermark is stored whatever answer shows it") {
    for (const Event& e :
         {Event{event::Challenged{.cseq = sample_watermark, .have_credentials = true}},
          Event{event::Failed{.status = 488, .cseq = sample_watermark}}}) {
        Story s = in(State::modifying).on(e);
        CHECK(s.call.dialog.cseq_watermark > sample_watermark + 50);
        CHECK(has<effect::Persist>(s.effects));
    }
}

TEST_CASE("a call that the user has canceled is not dialled again with credentials") {
    Story s = in(State::canceling).on(event::Challenged{.cseq = 2, .have_credentials = true});
    CHECK_FALSE(has<effect::Authenticate>(s.effects));
    CHECK(s.call.state == State::over);
}

TEST_CASE("each challenge of a request that waits for credentials is answered") {
    Story s = in(State::established);
    for (std::uint32_t i = 0; i < 10; ++i) {
        s.on(event::Resume{});
        s.on(event::Challenged{.cseq = 4000 + 2 * i, .have_credentials = true});
        CHECK(has<effect::Authenticate>(s.effects));
        s.on(ok(4001 + 2 * i));
    }
}

TEST_CASE("while the dialog is rebuilt, the peer's re-INVITE does not hear that it is gone") {
    Story s = in(State::restoring).on(event::Offered{.cseq = 9, .offer = peer_session()});
    CHECK(first<effect::Reply>(s.effects)->status != 481);
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

TEST_CASE("disk full when a hold is tried again after 491: the call can be held later") {
    Story s = in(State::established).on(event::Hold{}).on(refusal(491, 4001)).on(event::Ready{});
    s.on_with_full_disk(event::RetryDue{});
    CHECK((s.call.state == State::established || has<effect::StartRetryTimer>(s.effects)));
}
