// The port of `--listen ADDR:0`.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

// The port that calls of an earlier life are on, else that of a socket that was held for us, else
// one that is free for UDP and TCP; `listen` may name an address that is not ours.
[[nodiscard]] std::uint16_t chosen_port(const shell::Listen& listen,
                                        const std::map<call::Number, call::Call>& calls,
                                        const std::vector<base::Fd>& held);

} // namespace revenant::app
