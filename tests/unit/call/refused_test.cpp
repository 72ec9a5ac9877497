// What a refusal of a request of ours leads to, and silence.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

// What leaves a call as it was: all but 481 and 408, and 491, after which the same is asked again.
const std::vector<std::uint16_t> every_refusal{
    300, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407, 410, 412, 413, 414, 415, 416,
    417, 420, 421, 422, 423, 428, 429, 433, 436, 437, 438, 480, 482, 483, 484, 485, 486, 487,
    488, 489, 493, 494, 500, 501, 502, 503, 504, 505, 513, 580, 600, 603, 604, 606, 699};

} // namespace

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

TEST_CASE("a hold that cannot be authenticated is rolled back") {
    Story s = in(State::established).on(event::Hold{});
    s.on(event::Challenged{.cseq = 4001, .is_over = true});
    s.on(event::Ready{});
    CHECK(s.call.state == State::established);
    CHECK_FALSE(s.call.dialog.hold.local);
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
