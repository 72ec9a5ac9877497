// What the call machine tells, in words for people and fields for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

// Of the phone as a whole.
void tell(std::string event, shell::Tone tone, std::string text);

// `resumes_by_itself`: what is found at the start goes on without a command.
[[nodiscard]] shell::Notice
notice_of(const call::Call& call, const call::effect::Tell& tell, bool resumes_by_itself);

// What an answer to a request of the user's has shown. `round_trip_ms` -1: not measured.
void add_answer(shell::Notice& notice, std::int64_t round_trip_ms, const std::string& allow);

// What a call was, at its end.
void add_account(shell::Notice& notice,
                 std::int64_t duration_ms,
                 const std::optional<media::Statistics>& media);

} // namespace revenant::app
