// The keeper's words to the user: lines on stderr.
#pragma once

#include <string>
#include <string_view>

namespace revenant::keeper {

// Never blocks: a line that stderr does not take at once (Ctrl-S, a pipe that nobody reads) is
// dropped, because the phone's next start must not wait for it.
void say(const std::string& line);

// What a line editor may have switched on in the terminal on stderr and not off again.
void end_bracketed_paste();

// Says the line and ends the keeper with status 1: it could not even begin.
[[noreturn]] void give_up(const std::string& line);

// Control characters and what is not ASCII become '?'.
[[nodiscard]] std::string printable(std::string_view text);

// "SIGKILL"
[[nodiscard]] std::string signal_name(int signal);

// "No such file or directory"
[[nodiscard]] std::string error_text(int error);

} // namespace revenant::keeper
