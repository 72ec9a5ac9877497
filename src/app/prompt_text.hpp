// What the prompt says about the calls: "revenant (1 call, 1 ringing)> ".
#pragma once

#include <map>
#include <string>

#include "revenant/call/machine.hpp"

namespace revenant::app {

[[nodiscard]] std::string prompt_text(const std::map<call::Number, call::Call>& calls);

} // namespace revenant::app
