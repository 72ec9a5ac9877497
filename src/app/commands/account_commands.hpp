#pragma once

#include "app/accounts.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

void add_account_commands(shell::Table& table, Accounts& accounts);

} // namespace revenant::app
