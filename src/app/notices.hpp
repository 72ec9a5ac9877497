// What the call machine tells, in words for people and fields for programs.
#pragma once

#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

// `resumes_by_itself`: what is found at the start goes on without a command.
[[nodiscard]] shell::Notice
notice_of(const call::Call& call, const call::effect::Tell& tell, bool resumes_by_itself);

} // namespace revenant::app
