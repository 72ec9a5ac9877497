// What the prompt and the output share about the terminal that both write to.
#pragma once

#include <string>
#include <string_view>

namespace revenant::shell {

// Whether `set_output` asked for colour.
[[nodiscard]] bool colour_on();

// Another place for `print` to write to than standard output, for tests. Forgets what waits.
void set_output_fd(int fd);

// A non-blocking descriptor of what standard output is, for readline; -1 if there is none.
[[nodiscard]] int output_own_fd();

} // namespace revenant::shell
