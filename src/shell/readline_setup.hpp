// readline's global settings, made once: nothing in it may wait or take a signal away from us.
#pragma once

#include "revenant/shell/command.hpp"
#include "shell/completion.hpp"

namespace revenant::shell {

// `table` and `offers` serve completion until `forget_completion`. ~/.inputrc is read here, by
// readline, and wins over our defaults except where they keep the main loop from waiting.
void set_up_readline(const Table& table, const Offers& offers);
void forget_completion();

// A terminal that a killed phone left without echo becomes usable, before readline remembers its
// settings as those to restore.
void make_terminal_sane();

} // namespace revenant::shell
