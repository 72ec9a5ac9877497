// What is typed, read without ever waiting for it. The main loop's "readable" is no promise: the
// shell that has taken the terminal back reads it too, and what was there is gone by the time we
// look; a read that waits would stop the phone.
#pragma once

#include <cstdio>

namespace revenant::shell {

// The terminal on standard input, from here to `close_keys`.
void open_keys();
void close_keys();

// Whether there is a key, or the end, for readline to take.
[[nodiscard]] bool key_is_there();

// For rl_getc_function: the next byte, or EOF.
int take_key(FILE* in);

} // namespace revenant::shell
