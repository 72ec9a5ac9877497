// The way out, from each state.
#include <string>

#include <doctest/doctest.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

Step at(const Binding& binding, const Event& event, base::Now now = sample_now) {
    return step(binding, event, now, sample_draw());
}

bool is_forgotten(const Step& step) {
    return step.binding.state == State::off && all_of<effect::Forget>(step).size() == 1 &&
           all_of<effect::Send>(step).empty() &&
           all_of<effect::Tell>(step).at(0).news == News::unregistered;
}

} // namespace

TEST_CASE("a binding is removed by a request for no time, which is stored as the end first") {
    const Step leaving = at(sample_binding(State::registered), event::Unregister{});
    REQUIRE(leaving.effects.size() == 3);
    CHECK(std::holds_alternative<effect::Persist>(leaving.effects.at(0)));
    CHECK(leaving.binding.record.standing == Standing::leaving);
    CHECK(all_of<effect::Send>(leaving).at(0).expires_s == 0);
    const Step gone = at(leaving.binding, answer(leaving.binding, 200));
    CHECK(is_forgotten(gone));
    CHECK(all_of<effect::Tell>(gone).at(0).detail.empty());
    CHECK(at(gone.binding, event::Unregister{}).status.error().code == base::Errc::not_now);
}

TEST_CASE("the way out has its challenges answered, stale ones too") {
    Binding binding = sample_binding(State::leaving);
    binding = after(binding, challenged(binding, "n1"));
    CHECK(binding.state == State::leaving);
    const Step again = at(binding, challenged(binding, "n2", true));
    CHECK(all_of<effect::Send>(again).at(0).expires_s == 0);
    CHECK(all_of<effect::Send>(again).at(0).answers.at(0).nonce_count == 1);
    CHECK(is_forgotten(at(again.binding, answer(again.binding, 200))));
}

TEST_CASE("whatever else is said to the way out ends it, and what is left is told") {
    const Binding leaving = sample_binding(State::leaving);
    CHECK(all_of<effect::Tell>(at(leaving, no_answer(leaving))).at(0).detail ==
          "the registrar does not answer; what it has of us ends by itself in 3541 s");
    CHECK(is_forgotten(at(leaving, answer(leaving, 503))));
    CHECK(is_forgotten(at(leaving, event::Due{}, later(200'000)))); // the answer never came
    Binding tired = leaving;
    while (tired.is_open) {
        tired = after(tired, challenged(tired, "n" + std::to_string(tired.record.cseq), true));
    }
    CHECK(tired.state == State::off);
}

TEST_CASE("who leaves before there is an answer waits for it, and then undoes what it has done") {
    const Step asked = at(sample_binding(State::registering), event::Unregister{});
    CHECK(asked.binding.state == State::registering);
    CHECK(asked.binding.record.standing == Standing::leaving);
    CHECK(all_of<effect::Persist>(asked).size() == 1);
    CHECK(all_of<effect::Send>(asked).empty());
    const Binding& asked_for = asked.binding;

    const Step there = at(asked_for, granted(asked_for, 3600));
    CHECK(there.binding.state == State::leaving);
    CHECK(all_of<effect::Send>(there).at(0).expires_s == 0);
    CHECK(is_forgotten(at(asked_for, answer(asked_for, 403))));
    CHECK(is_forgotten(at(asked_for, challenged(asked_for, "n1"))));
    CHECK(is_forgotten(at(asked_for, granted(asked_for, 0))));
    // Nobody knows what the registrar has.
    CHECK(at(asked_for, no_answer(asked_for)).binding.state == State::leaving);
}

TEST_CASE("a refresh under way that is challenged turns into the way out, with credentials") {
    const Binding refreshing = after(sample_binding(State::refreshing), event::Unregister{});
    const Step out = at(refreshing, challenged(refreshing, "n1"));
    CHECK(out.binding.state == State::leaving);
    CHECK(all_of<effect::Send>(out).at(0).expires_s == 0);
    CHECK(all_of<effect::Send>(out).at(0).answers.at(0).nonce == "n1");
}

TEST_CASE("where there is nothing to remove, nothing is sent") {
    CHECK(is_forgotten(at(sample_binding(State::waiting), event::Unregister{})));
    CHECK(is_forgotten(at(sample_binding(State::refused), event::Unregister{})));
}

TEST_CASE("what may be there is removed: after silence, and after a refusal of the refresh") {
    const Binding registering = sample_binding(State::registering);
    const Binding waiting = after(registering, no_answer(registering));
    CHECK(at(waiting, event::Unregister{}).binding.state == State::leaving);
    const Binding refreshing = sample_binding(State::refreshing);
    const Binding refused = after(refreshing, answer(refreshing, 403));
    REQUIRE(refused.state == State::refused);
    CHECK(at(refused, event::Unregister{}).binding.state == State::leaving);
}

TEST_CASE("who wants it again while it is being removed gets it anew, with the next number") {
    const Binding leaving = after(sample_binding(State::leaving), event::Register{});
    CHECK(leaving.state == State::leaving);
    const Step again = at(leaving, answer(leaving, 200));
    CHECK(again.binding.state == State::registering);
    CHECK(again.binding.record.cseq == leaving.record.cseq + 1);
    CHECK(again.binding.record.call_id == leaving.record.call_id);
    CHECK(again.binding.record.standing == Standing::trying);
    CHECK(all_of<effect::Forget>(again).empty());
    const Binding not_again = after(leaving, event::Unregister{});
    CHECK(is_forgotten(at(not_again, answer(not_again, 200))));
}

TEST_CASE("who changes his mind twice before the answer is registered") {
    const Binding left = after(sample_binding(State::refreshing), event::Unregister{});
    const Binding back = after(left, event::Register{});
    CHECK(back.record.standing == Standing::registered);
    CHECK(after(back, granted(back, 3600)).state == State::registered);
}

TEST_CASE("what is not stored of the way out is said later, and not turned into a registration") {
    const Step later_ = at(sample_binding(State::leaving), event::StoreFailed{});
    CHECK(later_.binding.state == State::leaving);
    CHECK_FALSE(later_.binding.is_open);
    const Step out = at(later_.binding, event::Due{}, later(60'000));
    CHECK(all_of<effect::Send>(out).at(0).expires_s == 0);
}

} // namespace revenant::account
