#include <map>
#include <string>

#include <doctest/doctest.h>

#include "app/prompt_text.hpp"
#include "revenant/call/machine.hpp"

using namespace revenant;
using call::State;

TEST_CASE("the prompt tells ringing, held and resuming calls apart") {
    std::map<call::Number, call::Call> calls;
    CHECK(app::prompt_text(calls) == "revenant> ");
    calls[1].state = State::over;
    CHECK(app::prompt_text(calls) == "revenant> ");
    calls[2].state = State::established;
    CHECK(app::prompt_text(calls) == "revenant (1 call)> ");
    calls[3].state = State::modifying;
    calls[4].state = State::alerting;
    CHECK(app::prompt_text(calls) == "revenant (2 calls, 1 ringing)> ");
    calls[3].dialog.hold.remote = true;
    calls[5].state = State::proceeding;
    calls[6].state = State::resuming;
    calls[7].state = State::restored;
    calls[8].state = State::ending;
    CHECK(app::prompt_text(calls) == "revenant (1 call, 1 ringing, 1 calling, 1 on hold, "
                                     "1 found again, 1 resuming, 1 ending)> ");
}
