// The words of the command line, read by getopt_long as the table of options says.
#pragma once

#include <functional>
#include <optional>

#include "revenant/base/result.hpp"
#include "shell/option_table.hpp"

namespace revenant::shell {

// Calls `take` for each option, in the order given. The first error, be it of `take` or of the
// words themselves; all others are read all the same, because --help may follow.
[[nodiscard]] std::optional<base::Error>
read_command_line(int argc,
                  const char* const* argv,
                  const std::function<base::Status(const OptionRow&, const Said&)>& take);

} // namespace revenant::shell
