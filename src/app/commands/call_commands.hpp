// The commands about calls, for the table that prompt and scripts share.
#pragma once

#include "app/switchboard.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

class Accounts;
class Comeback;

// All of them must outlive the table.
void add_call_commands(shell::Table& table, Switchboard& board, Accounts& accounts);
void add_request_commands(shell::Table& table, // request_commands.cpp
                          Switchboard& board,
                          Comeback& comeback,
                          Accounts& accounts);
void add_view_commands(shell::Table& table, Switchboard& board); // view_commands.cpp: calls, show
void add_wait_commands(shell::Table& table,
                       Switchboard& board,
                       Accounts& accounts); // wait_commands.cpp

} // namespace revenant::app
