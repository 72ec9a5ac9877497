// A call that comes back: restored, armed, and what each answer to the re-INVITE leads to.
#include <cstdint>
#include <initializer_list>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/story.hpp"

using namespace revenant;
using namespace revenant::call;

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

TEST_CASE("while the dialog is rebuilt, the peer's re-INVITE does not hear that it is gone") {
    Story s = in(State::restoring).on(event::Offered{.cseq = 9, .offer = peer_session()});
    CHECK(first<effect::Reply>(s.effects)->status != 481);
}
