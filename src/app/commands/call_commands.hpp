// The commands about calls, for the table that prompt and scripts share.
#pragma once

#include "app/switchboard.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

class Comeback;

// `board` must outlive the table.
void add_call_commands(shell::Table& table, Switchboard& board);
// request_commands.cpp; `comeback` must outlive it as well.
void add_request_commands(shell::Table& table, Switchboard& board, Comeback& comeback);
void add_view_commands(shell::Table& table, Switchboard& board); // view_commands.cpp: calls, show
void add_wait_commands(shell::Table& table, Switchboard& board); // wait_commands.cpp

} // namespace revenant::app
