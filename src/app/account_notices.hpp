// What users and programs are told of registrations.
#pragma once

#include <cstdint>
#include <string>

#include "revenant/account/account.hpp"
#include "revenant/account/effect.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/result.hpp"

namespace revenant::app {

void tell(const account::Binding& binding, const account::effect::Tell& what);

// The record of an account that the configuration no longer has.
void tell_left_alone(const account::Registration& record);

// The registrar's name leads nowhere.
void tell_unreachable(const account::Account& account,
                      const std::string& why,
                      std::int64_t wait_ms);

// "registered, 3542 s left"
[[nodiscard]] std::string standing_text(const account::Binding& binding);

// Why it is not registered.
[[nodiscard]] base::Status why_not(const account::Binding& binding);

} // namespace revenant::app
