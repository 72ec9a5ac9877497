// Which settings of an account a registration was made with.
#pragma once

#include <string>

#include "revenant/account/account.hpp"

namespace revenant::app {

// A word that is another one when the account says something else, or when its password file was
// written since. Nothing secret can be had from it.
[[nodiscard]] std::string settings_id(const account::Account& account);

} // namespace revenant::app
