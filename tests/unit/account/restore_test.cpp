// A death, and the next life: nothing lapses, nothing is said twice, nobody hammers.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

Step restored(Registration record, base::Now now = sample_now, bool has_flow = true) {
    return step(revive(std::move(record)),
                event::Restore{.has_flow = has_flow, .settings_id = "s1"}, now, sample_draw());
}

Registration stored(State state) {
    return sample_binding(state).record;
}

} // namespace

TEST_CASE("a binding that is there needs no word, and is refreshed when it was to be") {
    const Registration record = stored(State::registered);
    const Step back = restored(record);
    CHECK(back.binding.state == State::registered);
    CHECK(back.binding.due_ms == record.next_boot_ms);
    CHECK(back.binding.record.restarts == 1);
    REQUIRE(back.effects.size() == 2);
    CHECK(all_of<effect::WaitUntil>(back).size() == 1);
    CHECK(all_of<effect::Tell>(back).at(0).news == News::restored);
    const Step refresh = step(back.binding, event::Due{},
                              later(record.next_boot_ms - sample_now.boot_ms()), sample_draw());
    CHECK(refresh.binding.record.call_id == record.call_id);
    CHECK(refresh.binding.record.cseq == record.cseq + 1);
}

TEST_CASE("one whose flow is gone is refreshed at once") {
    const Step back = restored(stored(State::registered), sample_now, false);
    CHECK(back.binding.state == State::refreshing);
    CHECK(all_of<effect::Send>(back).size() == 1);
}

TEST_CASE("one that has ended, and one that was never there, are asked for at once") {
    const Step lost = restored(stored(State::registered), later(2 * hour_ms));
    CHECK(lost.binding.state == State::registering);
    CHECK(all_of<effect::Tell>(lost).at(0).news == News::lost);
    const Step tried = restored(stored(State::registering));
    CHECK(tried.binding.state == State::registering);
    CHECK(tried.binding.record.cseq == 2);
    CHECK(tried.binding.record.call_id == "our-call-id");
}

TEST_CASE("a refresh that was under way is sent again") {
    const Step back = restored(stored(State::refreshing));
    CHECK(back.binding.state == State::refreshing);
    CHECK(back.binding.record.cseq == stored(State::refreshing).cseq + 1);
}

TEST_CASE("a death is no reason to try sooner than was waited for") {
    Binding waiting = sample_binding(State::registering);
    event::Answered e = answer(waiting, 503);
    e.retry_after_s = 300;
    waiting = after(waiting, e);
    const Step back = restored(waiting.record, later(1000));
    CHECK(back.binding.state == State::waiting);
    CHECK(back.binding.due_ms == waiting.due_ms);
    CHECK(all_of<effect::Send>(back).empty());
    CHECK(back.binding.record.failures == 1);
    // Of a refresh as well, and without a flow.
    Binding refreshing = sample_binding(State::refreshing);
    refreshing = after(refreshing, answer(refreshing, 503));
    CHECK(restored(refreshing.record, later(1000), false).binding.state == State::waiting);
}

TEST_CASE("a refusal stays one until the settings are others") {
    const Registration record = stored(State::refused);
    const Step back = restored(record, later(hour_ms));
    CHECK(back.binding.state == State::refused);
    CHECK(all_of<effect::Send>(back).empty());
    const Step changed =
        step(revive(record), event::Restore{.settings_id = "s2"}, later(hour_ms), sample_draw());
    CHECK(changed.binding.state == State::registering);
    CHECK(changed.binding.record.settings_id == "s2");
}

TEST_CASE("an end that was under way is gone on with") {
    const Step back = restored(stored(State::leaving));
    CHECK(back.binding.state == State::leaving);
    CHECK_FALSE(back.binding.is_wanted);
    CHECK(all_of<effect::Send>(back).at(0).expires_s == 0);
    const Binding asked = after(sample_binding(State::registering), event::Unregister{});
    CHECK(restored(asked.record).binding.state == State::leaving);
}

TEST_CASE("counts of nonces go on over a death") {
    Binding binding = sample_binding(State::registering);
    binding = after(binding, challenged(binding, "n1"));
    const Step back = restored(binding.record, later(60'000));
    CHECK(all_of<effect::Send>(back).at(0).answers.at(0).nonce_count == 2);
}

TEST_CASE("a phone that dies after each request sends no more of them than one that lives") {
    Binding binding = after(new_binding(), event::Register{});
    int sent = 1;
    for (std::int64_t ms = 10; ms <= 1000; ms += 10) {
        const Step back = restored(binding.record, later(ms));
        sent += static_cast<int>(all_of<effect::Send>(back).size());
        if (!all_of<effect::Persist>(back).empty()) {
            binding = back.binding;
        }
    }
    CHECK(sent <= 6);
}

TEST_CASE("in the same boot a step of the wall clock changes nothing") {
    for (const std::int64_t step_ms : {-hour_ms, hour_ms}) {
        const Registration before = stored(State::registered);
        Registration record = before;
        base::Now now = sample_now;
        now.real_ns += step_ms * 1'000'000;
        move_into_boot(record, "boot", now);
        CHECK(record.next_boot_ms == before.next_boot_ms);
        CHECK(record.expires_boot_ms == before.expires_boot_ms);
        CHECK(record.rests_boot_ms == before.rests_boot_ms);
        // What a later boot would go by is told by the clock as it is now.
        CHECK(record.next_ms == before.next_ms + step_ms);
        CHECK(record.expires_ms == before.expires_ms + step_ms);
        CHECK(restored(record, now).binding.state == State::registered);
    }
}

TEST_CASE("after a reboot the wall clock tells what is left") {
    const Registration before = stored(State::registered);
    for (const std::string& boot_id : {std::string{"another"}, std::string{}}) {
        Registration record = before;
        record.boot_id = boot_id.empty() ? boot_id : record.boot_id;
        // Off for ten minutes, and up for 20 s.
        const base::Now now{.boot_ns = 20'000'000'000,
                            .real_ns = sample_now.real_ns + 600'000'000'000};
        move_into_boot(record, boot_id, now);
        CHECK(record.boot_id == boot_id);
        CHECK(record.expires_boot_ms == 20'000 + 3'540'000 - 600'000);
        CHECK(record.next_boot_ms == 20'000 + 1'740'000 - 600'000);
        CHECK(record.rests_boot_ms == 0);
        CHECK(restored(record, now).binding.state == State::registered);
    }
}

TEST_CASE("what is over before the boot is over, and what is not set stays so") {
    Registration record = stored(State::registered);
    move_into_boot(record, "another",
                   {.boot_ns = 20'000'000'000, .real_ns = sample_now.real_ns + 36'000'000'000'000});
    CHECK(record.expires_boot_ms == 1);
    CHECK(record.next_boot_ms == 1);
    Registration empty = new_record();
    move_into_boot(empty, "another", sample_now);
    CHECK(empty.expires_boot_ms == 0);
    CHECK(empty.next_boot_ms == 0);
    CHECK(empty.expires_ms == 0);
}

TEST_CASE("times that no life can have written do no harm") {
    constexpr std::int64_t most = std::int64_t{1} << 60;
    for (const std::int64_t absurd : {-most, most, std::numeric_limits<std::int64_t>::max() / 4}) {
        for (const State state : all_states) {
            Registration record = stored(state);
            record.next_boot_ms = absurd;
            record.expires_boot_ms = absurd;
            record.rests_boot_ms = absurd;
            record.failures = 0xFFFFFFFF;
            const Step back = restored(record);
            CHECK(check(back.binding) == "");
            CHECK(back.binding.due_ms <= sample_now.boot_ms() + 86'400'000);
        }
        Registration record = stored(State::registered);
        record.next_ms = absurd;
        record.expires_ms = absurd;
        move_into_boot(record, "another", sample_now);
        CHECK(check(restored(record).binding) == "");
    }
}

} // namespace revenant::account
