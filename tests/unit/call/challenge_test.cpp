// Our requests are asked for credentials.
#include <cstdint>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant::call;

TEST_CASE("numbers that a resumption without credentials may use are stored before it is tried") {
    const Call resuming = sample_call(State::resuming);
    const std::uint32_t cseq = resuming.dialog.cseq_watermark - 20;
    const event::Challenged refused{.cseq = cseq, .realm = "r", .is_over = true};
    const Step back = step(resuming, refused, sample_now);
    CHECK(back.call.state == State::restoring);
    CHECK(names_of(back.effects) == "Dispose Persist Restore Tell Settle");
    CHECK(back.call.cseq_base == cseq);
    CHECK(back.call.dialog.cseq_watermark > cseq + 100);
}
