// What is installed beside the program and says its options: made of the same table as they are.
#pragma once

#include <string>

namespace revenant::shell {

[[nodiscard]] std::string man_page();        // revenant(1), in roff
[[nodiscard]] std::string config_man_page(); // revenant.conf(5), in roff
[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();

} // namespace revenant::shell
